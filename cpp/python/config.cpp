// SPDX-License-Identifier: BSD-3-Clause
#include "python/config.h"

#include <pybind11/stl.h>

#include <vector>

#include "python/construct.h"

namespace specfast_python {
namespace {

// A value of an enumeration of the C ABI; the name of a value that Python calls None is null.
struct Choice {
  const char* name;
  std::int32_t number;
};

constexpr Choice kDtypes[] = {{"float32", SPECFAST_FLOAT32}, {"float64", SPECFAST_FLOAT64}};
constexpr Choice kPaddings[] = {
    {"valid", SPECFAST_PADDING_VALID},   {"same", SPECFAST_PADDING_SAME},
    {"center", SPECFAST_PADDING_CENTER}, {"sides", SPECFAST_PADDING_SIDES},
    {"end", SPECFAST_PADDING_END},       {"hops", SPECFAST_PADDING_HOPS}};
constexpr Choice kPadModes[] = {{"reflect", SPECFAST_PAD_REFLECT},
                                {"constant", SPECFAST_PAD_ZEROS},
                                {"edge", SPECFAST_PAD_EDGE},
                                {"symmetric", SPECFAST_PAD_SYMMETRIC}};
constexpr Choice kPreemphases[] = {{nullptr, SPECFAST_PREEMPHASIS_NONE},
                                   {"frame", SPECFAST_PREEMPHASIS_FRAME},
                                   {"signal", SPECFAST_PREEMPHASIS_SIGNAL}};
constexpr Choice kEnergies[] = {{nullptr, SPECFAST_ENERGY_NONE},
                                {"raw", SPECFAST_ENERGY_RAW},
                                {"windowed", SPECFAST_ENERGY_WINDOWED}};
constexpr Choice kMelScales[] = {{"htk", SPECFAST_MEL_HTK}, {"slaney", SPECFAST_MEL_SLANEY}};
constexpr Choice kMelTriangles[] = {{"mel", SPECFAST_TRIANGLES_IN_MEL},
                                    {"hertz", SPECFAST_TRIANGLES_IN_HERTZ}};
constexpr Choice kMelNorms[] = {{nullptr, SPECFAST_MEL_NORM_NONE},
                                {"slaney", SPECFAST_MEL_NORM_SLANEY},
                                {"area", SPECFAST_MEL_NORM_AREA}};
constexpr Choice kNormalizations[] = {{nullptr, SPECFAST_NORMALIZATION_NONE},
                                      {"std", SPECFAST_NORMALIZATION_STD},
                                      {"variance", SPECFAST_NORMALIZATION_VARIANCE}};
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

std::int64_t Config::num_rows() const {
  if (fields.num_cepstra > 0) return fields.num_cepstra;
  return fields.num_mel_bins + (fields.energy != SPECFAST_ENERGY_NONE);
}

const double* Config::row_values(const char* name, const std::optional<Doubles>& values) const {
  if (!values) return nullptr;
  if (values->ndim() != 1 || values->shape(0) != num_rows()) {
    throw py::value_error(std::string(name) + " must have shape (" + std::to_string(num_rows()) +
                          ",), received shape " + describe(shape_of(*values)));
  }
  return values->data();
}

const double* Config::weight_values() const {
  if (!mel_weights) return nullptr;
  const Shape shape = {fields.fft_length / 2 + 1, fields.num_mel_bins};
  if (shape_of(*mel_weights) != shape) {
    throw py::value_error("mel_weights must have shape " + describe(shape) + ", received shape " +
                          describe(shape_of(*mel_weights)));
  }
  return mel_weights->data();
}

specfast_config Config::with_window() const {
  specfast_config config = fields;
  config.row_gain = row_values("row_gain", row_gain);
  config.row_offset = row_values("row_offset", row_offset);
  config.mel_weights = weight_values();
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
  config.def("__init__", &construct<Config, const std::string&>, is_constructor(), py::arg("mode"))
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
  add_choice(config, "pad_mode", &specfast_config::pad_mode, kPadModes);
  add_number(config, "pad_length", &specfast_config::pad_length);
  add_number(config, "frame_span", &specfast_config::frame_span);
  add_number(config, "drop_frames", &specfast_config::drop_frames);
  add_number(config, "masked_frames", &specfast_config::masked_frames);
  add_number(config, "pad_value", &specfast_config::pad_value);
  add_number(config, "input_gain", &specfast_config::input_gain);
  add_number(config, "remove_dc", &specfast_config::remove_dc);
  add_choice(config, "energy", &specfast_config::energy, kEnergies);
  add_number(config, "energy_floor", &specfast_config::energy_floor);
  add_choice(config, "preemphasis_rule", &specfast_config::preemphasis_rule, kPreemphases);
  add_number(config, "preemphasis", &specfast_config::preemphasis);
  add_number(config, "power_offset", &specfast_config::power_offset);
  add_choice(config, "mel_scale", &specfast_config::mel_scale, kMelScales);
  add_choice(config, "mel_triangles", &specfast_config::mel_triangles, kMelTriangles);
  add_choice(config, "mel_norm", &specfast_config::mel_norm, kMelNorms);
  add_number(config, "num_cepstra", &specfast_config::num_cepstra);
  add_number(config, "dct_is_orthonormal", &specfast_config::dct_is_orthonormal);
  add_number(config, "lifter", &specfast_config::lifter);
  config.def_readwrite("mel_weights", &Config::mel_weights);
  config.def_readwrite("row_gain", &Config::row_gain);
  config.def_readwrite("row_offset", &Config::row_offset);
  add_choice(config, "normalization", &specfast_config::normalization, kNormalizations);
  add_number(config, "normalization_ddof", &specfast_config::normalization_ddof);
  add_number(config, "normalization_epsilon", &specfast_config::normalization_epsilon);
  add_number(config, "pcen", &specfast_config::pcen);
  add_number(config, "pcen_gain", &specfast_config::pcen_gain);
  add_number(config, "pcen_bias", &specfast_config::pcen_bias);
  add_number(config, "pcen_power", &specfast_config::pcen_power);
  add_number(config, "pcen_smoothing", &specfast_config::pcen_smoothing);
  add_number(config, "pcen_epsilon", &specfast_config::pcen_epsilon);
  add_number(config, "delta_order", &specfast_config::delta_order);
  add_number(config, "delta_window", &specfast_config::delta_window);
}

}  // namespace specfast_python
