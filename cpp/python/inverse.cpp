// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Inverse: an inverse transform of arrays [batch][channel][frame][bin].
#include <pybind11/stl.h>

#include <string>

#include "python/arrays.h"
#include "python/config.h"
#include "python/gil.h"
#include "python/workspace_pool.h"

namespace specfast_python {
namespace {

class Inverse {
 public:
  Inverse(const Config& config, std::int64_t phase_origin, bool keeps_odd_length)
      : Inverse(config.with_window(), phase_origin, keeps_odd_length) {}

  std::int64_t num_samples(std::int64_t num_frames) const {
    return inverse_.num_samples(num_frames);
  }
  std::int64_t max_samples(std::int64_t num_frames) const {
    return inverse_.max_samples(num_frames);
  }
  py::tuple lost_samples(std::int64_t num_frames, std::int64_t num_samples) const {
    const auto lost = inverse_.lost_samples(num_frames, num_samples);
    return py::make_tuple(lost.at_begin, lost.at_end);
  }

  // `real` and `imag` are [batch, channels, frames, bins] of any strides, and `signal`, which is
  // written to, is [batch, channels, samples].
  void call(const py::array& real, const py::array& imag, py::array& signal,
            std::int32_t num_threads) const {
    specfast_spectra spectra = spectra_of(real, imag);
    check_signal(signal, real);
    spectra.signal = signal.mutable_data();
    spectra.num_samples = signal.shape(2);
    spectra.signal_batch_stride = element_stride(signal, 0);
    spectra.signal_channel_stride = element_stride(signal, 1);
    spectra.signal_sample_stride = element_stride(signal, 2);
    if (num_threads == 0) num_threads = specfast::num_threads();
    Pool::Lease lease(workspaces_, inverse_, num_threads);
    call_engine(work(real), [&] { inverse_.execute(lease.workspace(), spectra); });
  }

 private:
  using Pool = BasicWorkspacePool<specfast::Inverse, specfast::Inverse::Workspace>;

  Inverse(const specfast_config& config, std::int64_t phase_origin, bool keeps_odd_length)
      : inverse_(config, options(phase_origin, keeps_odd_length)),
        dtype_(config.dtype),
        num_bins_(config.fft_length / 2 + 1) {}

  static specfast_inverse_options options(std::int64_t phase_origin, bool keeps_odd_length) {
    specfast_inverse_options options{};
    options.struct_size = sizeof(options);
    options.phase_origin = phase_origin;
    options.keeps_odd_length = keeps_odd_length;
    return options;
  }

  // A value of a spectrum costs about what a sample of a transform does.
  static double work(const py::array& real) { return 4 * double(real.size()); }

  specfast_spectra spectra_of(const py::array& real, const py::array& imag) const {
    if (real.ndim() != 4 || shape_of(real) != shape_of(imag) || real.shape(3) != num_bins_) {
      throw py::value_error("real and imag must have shape (batch, channels, frames, " +
                            std::to_string(num_bins_) + "), received shapes " +
                            describe(shape_of(real)) + " and " + describe(shape_of(imag)));
    }
    specfast_spectra spectra{};
    spectra.struct_size = sizeof(spectra);
    for (const py::array& part : {real, imag}) check_dtype(part);
    for (py::ssize_t axis = 0; axis < 4; ++axis) {
      if (real.strides(axis) != imag.strides(axis))
        throw py::value_error("real and imag must have the same strides");
    }
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

  void check_dtype(const py::array& array) const {
    if (input_dtype(array) == dtype_) return;
    throw py::type_error("arrays must have the dtype of the inverse, " +
                         std::string(py::str(numpy_dtype(dtype_))) + ", received " +
                         std::string(py::str(array.dtype())));
  }

  void check_signal(const py::array& signal, const py::array& real) const {
    check_dtype(signal);
    if (signal.ndim() == 3 && signal.shape(0) == real.shape(0) &&
        signal.shape(1) == real.shape(1) && signal.writeable())
      return;
    throw py::value_error(
        "signal must be a writable array of shape (batch, channels, samples), received shape " +
        describe(shape_of(signal)) + " for spectra of shape " + describe(shape_of(real)));
  }

  specfast::Inverse inverse_;
  std::int32_t dtype_;
  std::int64_t num_bins_;
  mutable Pool workspaces_;
};

}  // namespace

void register_inverse(py::module_& module) {
  py::class_<Inverse>(module, "Inverse",
                      "An inverse transform; immutable, shared by threads.")
      .def(py::init<const Config&, std::int64_t, bool>(), py::arg("config"),
           py::arg("phase_origin") = 0, py::arg("keeps_odd_length") = false)
      .def("num_samples", &Inverse::num_samples, py::arg("num_frames"))
      .def("max_samples", &Inverse::max_samples, py::arg("num_frames"))
      .def("lost_samples", &Inverse::lost_samples, py::arg("num_frames"), py::arg("num_samples"))
      .def("__call__", &Inverse::call, py::arg("real").noconvert(), py::arg("imag").noconvert(),
           py::arg("signal").noconvert(), py::arg("num_threads") = 0);
}

}  // namespace specfast_python
