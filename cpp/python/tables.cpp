// SPDX-License-Identifier: BSD-3-Clause
// Windows, filterbanks and kernels as arrays; what rows stand for; the names of modes.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "python/config.h"

namespace specfast_python {
namespace {

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

py::array_t<bool> empty_bands(std::int64_t num_mel_bins, std::int64_t num_spectrogram_bins,
                              double sampling_rate, double lower_edge_hertz,
                              double upper_edge_hertz) {
  const bool sensible = num_mel_bins > 0 && num_mel_bins <= std::int64_t(1) << 20;
  py::array_t<bool> is_empty(sensible ? num_mel_bins : 1);
  specfast::check(specfast_empty_bands(num_mel_bins, num_spectrogram_bins, sampling_rate,
                                       lower_edge_hertz, upper_edge_hertz,
                                       reinterpret_cast<std::uint8_t*>(is_empty.mutable_data())));
  return is_empty;
}

py::array_t<bool> empty_bands_of(const Config& config) {
  const specfast_config settings = config.with_window();
  py::array_t<bool> is_empty(settings.num_mel_bins);
  specfast::check(specfast_config_empty_bands(
      &settings, reinterpret_cast<std::uint8_t*>(is_empty.mutable_data())));
  return is_empty;
}

// The kernels that the configuration stands for, [frame_length, 1, bins] each; modes real and imag
// have only one.
std::vector<py::array_t<double>> analytic_weights(const Config& config) {
  const specfast_config settings = config.with_window();
  const bool real = has_real_kernel(settings.mode), imag = has_imag_kernel(settings.mode);
  std::vector<py::array_t<double>> kernels;
  for (int i = 0; i < real + imag; ++i) kernels.emplace_back(kernel_shape(settings));
  specfast::check(specfast_analytic_weights(&settings,
                                            real ? kernels.front().mutable_data() : nullptr,
                                            imag ? kernels.back().mutable_data() : nullptr));
  return kernels;
}

py::array_t<double> frequencies(const Config& config) {
  const std::vector<double> hz = specfast::frequencies(config.with_window());
  return py::array_t<double>(py::ssize_t(hz.size()), hz.data());
}

// The modes of STFTSpectrogram, in the order of their numbers.
std::vector<std::string> mode_names() {
  std::vector<std::string> names = specfast::mode_names();
  names.erase(names.begin() + SPECFAST_MODE_MEL);
  return names;
}

}  // namespace

void register_tables(py::module_& module) {
  module.def("window", &window, py::arg("name"), py::arg("length"), py::arg("periodic"));
  module.def("window_names", &specfast::window_names);
  module.def("mel_weights", &mel_weights, py::arg("num_mel_bins"), py::arg("num_spectrogram_bins"),
             py::arg("sampling_rate"), py::arg("lower_edge_hertz"), py::arg("upper_edge_hertz"));
  module.def("empty_bands", &empty_bands, py::arg("num_mel_bins"), py::arg("num_spectrogram_bins"),
             py::arg("sampling_rate"), py::arg("lower_edge_hertz"), py::arg("upper_edge_hertz"));
  module.def("empty_bands_of", &empty_bands_of, py::arg("config"));
  module.def("analytic_weights", &analytic_weights, py::arg("config"));
  module.def("frequencies", &frequencies, py::arg("config"));
  module.def("hertz_to_mel", py::vectorize(&specfast_hertz_to_mel), py::arg("hz"));
  module.def("mode_names", &mode_names);
}

}  // namespace specfast_python
