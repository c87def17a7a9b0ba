// SPDX-License-Identifier: BSD-3-Clause
#include "python/inverse.h"

#include <string>

#include "python/construct.h"
#include "python/gil.h"

namespace specfast_python {
namespace {

specfast_inverse_options inverse_options(std::int64_t phase_origin, bool keeps_odd_length) {
  specfast_inverse_options options{};
  options.struct_size = sizeof(options);
  options.phase_origin = phase_origin;
  options.keeps_odd_length = keeps_odd_length;
  return options;
}

}  // namespace

Inverse::Inverse(const specfast_config& config, std::int64_t phase_origin, bool keeps_odd_length)
    : inverse_(config, inverse_options(phase_origin, keeps_odd_length)),
      dtype_(config.dtype),
      num_bins_(config.fft_length / 2 + 1) {}

py::tuple Inverse::lost_samples(std::int64_t num_frames, std::int64_t num_samples) const {
  const auto lost = inverse_.lost_samples(num_frames, num_samples);
  return py::make_tuple(lost.at_begin, lost.at_end);
}

specfast_spectra Inverse::spectra_of(const py::array& real, const py::array& imag) const {
  if (real.ndim() != 4 || shape_of(real) != shape_of(imag) || real.shape(3) != num_bins_) {
    throw py::value_error("real and imag must have shape (batch, channels, frames, " +
                          std::to_string(num_bins_) + "), received shapes " +
                          describe(shape_of(real)) + " and " + describe(shape_of(imag)));
  }
  for (const py::array* part : {&real, &imag}) require_dtype(*part, dtype_);
  for (py::ssize_t axis = 0; axis < 4; ++axis) {
    if (real.strides(axis) != imag.strides(axis))
      throw py::value_error("real and imag must have the same strides");
  }
  specfast_spectra spectra{};
  spectra.struct_size = sizeof(spectra);
  spectra.real = real.data();
  spectra.imag = imag.data();
  spectra.num_batches = real.shape(0);
  spectra.num_channels = real.shape(1);
  spectra.num_frames = real.shape(2);
  spectra.batch_stride = element_stride(real, 0);
  spectra.channel_stride = element_stride(real, 1);
  spectra.frame_stride = element_stride(real, 2);
  spectra.bin_stride = element_stride(real, 3);
  return spectra;
}

void Inverse::call(const py::array& real, const py::array& imag, py::array& signal,
                   std::int32_t num_threads) const {
  specfast_spectra spectra = spectra_of(real, imag);
  require_dtype(signal, dtype_);
  require_signals(signal, real);
  require_writable(signal);
  spectra.signal = signal.mutable_data();
  spectra.num_samples = signal.shape(2);
  spectra.signal_batch_stride = element_stride(signal, 0);
  spectra.signal_channel_stride = element_stride(signal, 1);
  spectra.signal_sample_stride = element_stride(signal, 2);
  if (num_threads == 0) num_threads = specfast::num_threads();
  Pool::Lease lease(workspaces_, inverse_, num_threads);
  call_engine(work(real), [&] { inverse_.execute(lease.workspace(), spectra); });
}

void Inverse::pull_back(const py::array& cotangent, py::array& real, py::array& imag,
                        std::int32_t num_threads) const {
  const specfast_spectra spectra = spectra_of(real, imag);
  require_dtype(cotangent, dtype_);
  require_signals(cotangent, real);
  require_writable(real);
  require_writable(imag);
  specfast_inverse_gradient gradient{};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = cotangent.data();
  gradient.num_batches = spectra.num_batches;
  gradient.num_channels = spectra.num_channels;
  gradient.num_samples = cotangent.shape(2);
  gradient.cotangent_batch_stride = element_stride(cotangent, 0);
  gradient.cotangent_channel_stride = element_stride(cotangent, 1);
  gradient.cotangent_sample_stride = element_stride(cotangent, 2);
  gradient.real = real.mutable_data();
  gradient.imag = imag.mutable_data();
  gradient.num_frames = spectra.num_frames;
  gradient.batch_stride = spectra.batch_stride;
  gradient.channel_stride = spectra.channel_stride;
  gradient.frame_stride = spectra.frame_stride;
  gradient.bin_stride = spectra.bin_stride;
  if (num_threads == 0) num_threads = specfast::num_threads();
  call_engine(work(real), [&] { inverse_.pull_back(num_threads, gradient); });
}

void register_inverse(py::module_& module) {
  py::class_<Inverse>(module, "Inverse", "An inverse transform; immutable, shared by threads.")
      .def("__init__", &construct<Inverse, const Config&, std::int64_t, bool>, is_constructor(),
           py::arg("config"), py::arg("phase_origin") = 0, py::arg("keeps_odd_length") = false)
      .def("num_samples", &Inverse::num_samples, py::arg("num_frames"))
      .def("max_samples", &Inverse::max_samples, py::arg("num_frames"))
      .def("lost_samples", &Inverse::lost_samples, py::arg("num_frames"), py::arg("num_samples"))
      .def("pull_back", &Inverse::pull_back, py::arg("cotangent").noconvert(),
           py::arg("real").noconvert(), py::arg("imag").noconvert(), py::arg("num_threads") = 0)
      .def("__call__", &Inverse::call, py::arg("real").noconvert(), py::arg("imag").noconvert(),
           py::arg("signal").noconvert(), py::arg("num_threads") = 0);
}

}  // namespace specfast_python
