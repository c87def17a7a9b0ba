// SPDX-License-Identifier: BSD-3-Clause
#include "python/config.h"

#include <pybind11/stl.h>

#include <vector>

namespace specfast_python {
namespace {

// A value of an enumeration of the C ABI; the name of a value that Python calls None is null.
struct Choice {
  const char* name;
  std::int32_t number;
};

constexpr Choice kDtypes[] = {{"float32", SPECFAST_FLOAT32}, {"float64", SPECFAST_FLOAT64}};
constexpr Choice kPaddings[] = {{"valid", SPECFAST_PADDING_VALID},
                                {"same", SPECFAST_PADDING_SAME},
                                {"center", SPECFAST_PADDING_CENTER}};
constexpr Choice kScalings[] = {{nullptr, SPECFAST_SCALING_NONE},
                                {"density", SPECFAST_SCALING_DENSITY},
                                {"spectrum", SPECFAST_SCALING_SPECTRUM}};
constexpr Choice kTopDbScopes[] = {{nullptr, SPECFAST_TOP_DB_NONE},
                                   {"batch", SPECFAST_TOP_DB_BATCH},
                                   {"clip", SPECFAST_TOP_DB_CLIP}};

using Name = std::optional<std::string>;

std::string quoted(const Name& name) { return name ? "'" + *name + "'" : "None"; }

Name name_of(const Choice& choice) { return choice.name ? Name(choice.name) : std::nullopt; }

template <std::size_t N>
std::int32_t number_of(const std::string& field, const Name& name, const Choice (&choices)[N]) {
  std::string accepted;
  for (const Choice& choice : choices) {
    if (name_of(choice) == name) return choice.number;
    accepted += (accepted.empty() ? "" : ", ") + quoted(name_of(choice));
  }
  throw py::value_error(field + " must be one of " + accepted + ", received " + field + "=" +
                        quoted(name));
}

// The number of a name from one of the engine's lists.
std::int32_t number_of(const std::string& field, const std::string& name,
                       const std::vector<std::string>& names) {
  std::string accepted;
  for (std::size_t number = 0; number < names.size(); ++number) {
    if (names[number] == name) return std::int32_t(number);
    accepted += (number ? ", " : "") + quoted(names[number]);
  }
  throw py::value_error(field + " must be one of " + accepted + ", received " + field + "=" +
                        quoted(name));
}

template <std::size_t N>
Name name_of(std::int32_t number, const Choice (&choices)[N]) {
  for (const Choice& choice : choices)
    if (choice.number == number) return name_of(choice);
  return std::nullopt;
}

using Class = py::class_<Config>;

template <typename T>
void add_number(Class& config, const char* field, T specfast_config::* member) {
  config.def_property(
      field, [member](const Config& self) { return self.fields.*member; },
      [member](Config& self, T value) { self.fields.*member = value; });
}

template <std::size_t N>
void add_choice(Class& config, const char* field, std::int32_t specfast_config::* member,
                const Choice (&choices)[N]) {
  config.def_property(
      field,
      [member, &choices](const Config& self) { return name_of(self.fields.*member, choices); },
      [field, member, &choices](Config& self, const Name& name) {
        self.fields.*member = number_of(field, name, choices);
      });
}

}  // namespace

Config::Config(const std::string& mode)
    : fields(specfast::default_config(
          specfast_mode(number_of("mode", mode, specfast::mode_names())))) {}

specfast_config Config::with_window() const {
  specfast_config config = fields;
  if (!window) return config;
  if (window->ndim() != 1 || window->shape(0) != config.frame_length) {
    throw py::value_error("window must have shape (" + std::to_string(config.frame_length) +
                          ",), received shape " + describe(shape_of(*window)));
  }
  config.window = window->data();
  return config;
}

bool has_real_kernel(std::int32_t mode) {
  return mode != SPECFAST_MODE_IMAG && mode != SPECFAST_MODE_MEL;
}

bool has_imag_kernel(std::int32_t mode) {
  return mode != SPECFAST_MODE_REAL && mode != SPECFAST_MODE_MEL;
}

Shape kernel_shape(const specfast_config& config) {
  return {config.frame_length, 1, config.fft_length / 2 + 1};
}

void register_config(py::module_& module) {
  Class config(module, "Config", "The settings of a plan, with the defaults of a mode's layer.");
  config.def(py::init<const std::string&>(), py::arg("mode"))
      .def_property_readonly(
          "mode", [](const Config& self) { return specfast_mode_name(self.fields.mode); })
      .def_readwrite("window", &Config::window)
      .def_property(
          "level", [](const Config& self) { return specfast_level_name(self.fields.level); },
          [](Config& self, const std::string& name) {
            self.fields.level = number_of("level", name, specfast::level_names());
          });
  add_choice(config, "dtype", &specfast_config::dtype, kDtypes);
  add_number(config, "frame_length", &specfast_config::frame_length);
  add_number(config, "hop", &specfast_config::hop);
  add_number(config, "fft_length", &specfast_config::fft_length);
  add_choice(config, "padding", &specfast_config::padding, kPaddings);
  add_choice(config, "scaling", &specfast_config::scaling, kScalings);
  add_number(config, "epsilon", &specfast_config::epsilon);
  add_number(config, "num_mel_bins", &specfast_config::num_mel_bins);
  add_number(config, "sampling_rate_hz", &specfast_config::sampling_rate_hz);
  add_number(config, "min_freq_hz", &specfast_config::min_freq_hz);
  add_number(config, "max_freq_hz", &specfast_config::max_freq_hz);
  add_number(config, "mag_exp", &specfast_config::mag_exp);
  add_choice(config, "top_db_scope", &specfast_config::top_db_scope, kTopDbScopes);
  add_number(config, "top_db", &specfast_config::top_db);
  add_number(config, "min_power", &specfast_config::min_power);
  add_number(config, "ref_power", &specfast_config::ref_power);
}

}  // namespace specfast_python
