// SPDX-License-Identifier: BSD-3-Clause
// Table of contents of specfast._core.
#include <pybind11/stl.h>

#include <map>
#include <sstream>

#include "python/plan.h"
#include "python/stream.h"

namespace specfast_python {
namespace {

std::int32_t number_of(const char* argument, const std::string& name,
                       const std::map<std::string, std::int32_t>& numbers) {
  const auto found = numbers.find(name);
  if (found != numbers.end()) return found->second;
  std::string accepted;
  for (const auto& [known, number] : numbers)
    accepted += (accepted.empty() ? "'" : ", '") + known + "'";
  throw py::value_error(std::string(argument) + " must be one of " + accepted + ", received " +
                        argument + "='" + name + "'");
}

std::int32_t dtype_number(const std::string& name) {
  return number_of("dtype", name, {{"float32", SPECFAST_FLOAT32}, {"float64", SPECFAST_FLOAT64}});
}

using WindowValues = std::optional<py::array_t<double, py::array::c_style | py::array::forcecast>>;

void set_window(specfast_config& config, const WindowValues& window) {
  if (!window) return;
  if (window->ndim() != 1 || window->shape(0) != config.frame_length) {
    throw py::value_error("window must have shape (" + std::to_string(config.frame_length) +
                          ",), received shape " +
                          describe(Shape(window->shape(), window->shape() + window->ndim())));
  }
  config.window = window->data();
}

// What the kernels of a spectrogram depend on; the rest is the default.
specfast_config stft_config(const std::string& mode, std::int64_t frame_length,
                            std::int64_t fft_length, const WindowValues& window,
                            const std::optional<std::string>& scaling) {
  const std::int32_t number = number_of("mode", mode,
                                        {{"log", SPECFAST_MODE_LOG},
                                         {"magnitude", SPECFAST_MODE_MAGNITUDE},
                                         {"psd", SPECFAST_MODE_PSD},
                                         {"real", SPECFAST_MODE_REAL},
                                         {"imag", SPECFAST_MODE_IMAG},
                                         {"angle", SPECFAST_MODE_ANGLE},
                                         {"stft", SPECFAST_MODE_STFT}});
  specfast_config config = specfast::default_config(specfast_mode(number));
  config.frame_length = frame_length;
  config.fft_length = fft_length;
  set_window(config, window);
  config.scaling = scaling ? number_of("scaling", *scaling,
                                       {{"density", SPECFAST_SCALING_DENSITY},
                                        {"spectrum", SPECFAST_SCALING_SPECTRUM}})
                           : SPECFAST_SCALING_NONE;
  return config;
}

// The kernels that the configuration's mode has, from a list of one or two arrays.
specfast_weights weights_of(const specfast_config& config, const std::vector<py::array>& kernels,
                            double rounding) {
  const bool real = config.mode != SPECFAST_MODE_IMAG, imag = config.mode != SPECFAST_MODE_REAL;
  if (kernels.size() != std::size_t(real) + std::size_t(imag)) {
    throw py::value_error("kernels must be " + std::to_string(real + imag) + " arrays, received " +
                          std::to_string(kernels.size()));
  }
  const Shape shape = {config.frame_length, 1, config.fft_length / 2 + 1};
  for (const py::array& kernel : kernels) {
    const Shape received(kernel.shape(), kernel.shape() + kernel.ndim());
    if (received != shape || !(kernel.flags() & py::array::c_style) ||
        input_dtype(kernel) != input_dtype(kernels[0]) || input_dtype(kernel) == SPECFAST_INT16) {
      throw py::value_error(
          "kernels must be C-contiguous arrays of one dtype, float32 or float64, and shape " +
          describe(shape) + ", received shape " + describe(received));
    }
  }
  specfast_weights weights{};
  weights.struct_size = sizeof(weights);
  weights.dtype = input_dtype(kernels[0]);
  weights.rounding = rounding;
  weights.real_kernel = real ? kernels.front().data() : nullptr;
  weights.imag_kernel = imag ? kernels.back().data() : nullptr;
  return weights;
}

std::unique_ptr<Plan> stft_plan(const std::string& mode, std::int64_t frame_length,
                                std::int64_t hop, std::int64_t fft_length,
                                const WindowValues& window,
                                const std::optional<std::string>& scaling,
                                const std::string& padding, bool channels_last, bool expand_dims,
                                double epsilon, const std::string& dtype,
                                const std::optional<std::vector<py::array>>& kernels,
                                double rounding) {
  specfast_config config = stft_config(mode, frame_length, fft_length, window, scaling);
  config.dtype = dtype_number(dtype);
  config.hop = hop;
  config.padding = number_of("padding", padding,
                             {{"valid", SPECFAST_PADDING_VALID}, {"same", SPECFAST_PADDING_SAME}});
  config.epsilon = epsilon;
  const Layout layout =
      channels_last ? (expand_dims ? Layout::kImageChannelsLast : Layout::kFlatChannelsLast)
                    : (expand_dims ? Layout::kImageChannelsFirst : Layout::kFlatChannelsFirst);
  if (!kernels) return std::make_unique<Plan>(config, layout);
  return std::make_unique<Plan>(config, layout, weights_of(config, *kernels, rounding),
                                py::cast(*kernels));
}

// The analytic kernels, [frame_length, 1, bins] each; in modes real and imag there is only one.
std::vector<py::array_t<double>> stft_kernels(const std::string& mode, std::int64_t frame_length,
                                              std::int64_t fft_length, const WindowValues& window,
                                              const std::optional<std::string>& scaling) {
  specfast_config config = stft_config(mode, frame_length, fft_length, window, scaling);
  const bool real = config.mode != SPECFAST_MODE_IMAG, imag = config.mode != SPECFAST_MODE_REAL;
  std::vector<py::array_t<double>> kernels;
  for (int i = 0; i < real + imag; ++i)
    kernels.emplace_back(Shape{frame_length, 1, fft_length / 2 + 1});
  specfast::check(specfast_analytic_weights(&config,
                                            real ? kernels.front().mutable_data() : nullptr,
                                            imag ? kernels.back().mutable_data() : nullptr));
  return kernels;
}

std::unique_ptr<Plan> mel_plan(std::int64_t fft_length, std::int64_t hop, std::int64_t frame_length,
                               const WindowValues& window, double sampling_rate,
                               std::int64_t num_mel_bins, double min_freq, double max_freq,
                               bool power_to_db, std::optional<double> top_db,
                               const std::string& top_db_scope, double mag_exp, double min_power,
                               double ref_power, const std::string& dtype) {
  specfast_config config = specfast::default_config(SPECFAST_MODE_MEL);
  config.dtype = dtype_number(dtype);
  config.fft_length = fft_length;
  config.hop = hop;
  // Without a window Keras takes the whole transform as the frame.
  config.frame_length = window ? frame_length : fft_length;
  set_window(config, window);
  config.sampling_rate_hz = sampling_rate;
  config.num_mel_bins = num_mel_bins;
  config.min_freq_hz = min_freq;
  config.max_freq_hz = max_freq;
  config.power_to_db = power_to_db;
  config.top_db_scope =
      number_of("top_db_scope", top_db_scope,
                {{"batch", SPECFAST_TOP_DB_BATCH}, {"clip", SPECFAST_TOP_DB_CLIP}});
  if (!top_db) config.top_db_scope = SPECFAST_TOP_DB_NONE;
  config.top_db = top_db.value_or(0);
  config.mag_exp = mag_exp;
  config.min_power = min_power;
  config.ref_power = ref_power;
  return std::make_unique<Plan>(config, Layout::kMel);
}

py::array_t<double> window(const std::string& name, std::int64_t length, bool periodic) {
  const std::vector<double> values = specfast::window(name, length, periodic);
  return py::array_t<double>(py::ssize_t(values.size()), values.data());
}

py::array_t<double> mel_weights(std::int64_t num_mel_bins, std::int64_t num_spectrogram_bins,
                                double sampling_rate, double lower_edge_hertz,
                                double upper_edge_hertz) {
  // A null pointer is refused only after the sizes have been, by name and value.
  const bool sensible = num_mel_bins > 0 && num_mel_bins <= std::int64_t(1) << 20 &&
                        num_spectrogram_bins > 0 && num_spectrogram_bins <= std::int64_t(1) << 27;
  py::array_t<double> weights(sensible ? Shape{num_spectrogram_bins, num_mel_bins} : Shape{1, 1});
  specfast::check(specfast_mel_weights(num_mel_bins, num_spectrogram_bins, sampling_rate,
                                       lower_edge_hertz, upper_edge_hertz, weights.mutable_data()));
  return weights;
}

py::dict build_info() {
  const specfast_build_info info = specfast::build_info();
  std::vector<std::string> available;
  std::stringstream names(info.available_isas);
  for (std::string name; std::getline(names, name, ',');) available.push_back(name);
  py::dict result;
  result["version"] = info.version;
  result["isa"] = info.isa;
  result["available_isas"] = available;
  result["lanes_float32"] = info.lanes_float32;
  result["lanes_float64"] = info.lanes_float64;
  result["num_threads"] = specfast::num_threads();
  result["openmp"] = info.openmp != 0;
  result["compiler"] = info.compiler;
  result["pocketfft"] = info.pocketfft;
  return result;
}

void translate_error(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const specfast::Error& error) {
    const bool environment = error.status() == SPECFAST_E_UNAVAILABLE_ISA ||
                             error.status() == SPECFAST_E_INTERNAL ||
                             error.status() == SPECFAST_E_BUSY;
    py::set_error(environment ? PyExc_RuntimeError : PyExc_ValueError, error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled engine of specfast.";
  py::register_local_exception_translator(translate_error);

  py::class_<Plan>(module, "Plan",
                   "Everything derived from a configuration; immutable, shared by threads.")
      .def_property_readonly("num_bins", &Plan::num_bins)
      .def_property_readonly("is_analytic", &Plan::is_analytic)
      .def_property_readonly("kernels", &Plan::kernels)
      .def("num_frames", &Plan::num_frames, py::arg("num_samples"))
      .def("call_keeping", &Plan::call_keeping, py::arg("x").noconvert(),
           py::arg("num_threads") = 0)
      .def("pull_back", &Plan::pull_back, py::arg("x").noconvert(),
           py::arg("cotangent").noconvert(), py::arg("signal"), py::arg("weights"),
           py::arg("num_threads") = 0, py::arg("kept") = py::none())
      .def("__call__", &Plan::call, py::arg("x").noconvert(), py::arg("out") = py::none(),
           py::arg("num_threads") = 0, py::arg("scale") = 0.0);

  py::class_<Stream>(module, "Stream", "A signal piece by piece; used by one thread at a time.")
      .def(py::init<const Plan&, std::int64_t, const std::string&, double, std::int64_t>(),
           py::keep_alive<1, 2>(), py::arg("plan"), py::arg("num_channels"), py::arg("max_rule"),
           py::arg("max_db"), py::arg("num_samples"))
      .def_property_readonly("latency_samples", &Stream::latency_samples)
      .def("push", &Stream::push, py::arg("x").noconvert(), py::arg("scale") = 0.0)
      .def("flush", &Stream::flush)
      .def("reset", &Stream::reset)
      .def("save", &Stream::save)
      .def("load", &Stream::load, py::arg("state"));

  module.def("stft_plan", &stft_plan, py::kw_only(), py::arg("mode"), py::arg("frame_length"),
             py::arg("hop"), py::arg("fft_length"), py::arg("window").none(true),
             py::arg("scaling").none(true), py::arg("padding"), py::arg("channels_last"),
             py::arg("expand_dims"), py::arg("epsilon"), py::arg("dtype"),
             py::arg("kernels") = py::none(), py::arg("rounding") = 0.0);
  module.def("stft_kernels", &stft_kernels, py::kw_only(), py::arg("mode"), py::arg("frame_length"),
             py::arg("fft_length"), py::arg("window").none(true), py::arg("scaling").none(true));
  module.def("mel_plan", &mel_plan, py::kw_only(), py::arg("fft_length"), py::arg("hop"),
             py::arg("frame_length"), py::arg("window").none(true), py::arg("sampling_rate"),
             py::arg("num_mel_bins"), py::arg("min_freq"), py::arg("max_freq"),
             py::arg("power_to_db"), py::arg("top_db").none(true), py::arg("top_db_scope"),
             py::arg("mag_exp"), py::arg("min_power"), py::arg("ref_power"), py::arg("dtype"));
  module.def("window", &window, py::arg("name"), py::arg("length"), py::arg("periodic"));
  module.def("window_names", &specfast::window_names);
  module.def("mel_weights", &mel_weights, py::arg("num_mel_bins"), py::arg("num_spectrogram_bins"),
             py::arg("sampling_rate"), py::arg("lower_edge_hertz"), py::arg("upper_edge_hertz"));
  module.def("build_info", &build_info);
  module.def("set_num_threads", &specfast::set_num_threads, py::arg("num_threads"));
  module.def("get_num_threads", &specfast::num_threads);
}

}  // namespace specfast_python
