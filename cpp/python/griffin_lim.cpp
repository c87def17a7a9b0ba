// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.GriffinLim: signals from magnitudes [batch][channel][frame][bin].
#include <string>

#include "python/arrays.h"
#include "python/config.h"
#include "python/construct.h"
#include "python/gil.h"

namespace specfast_python {
namespace {

class GriffinLim {
 public:
  GriffinLim(const Config& config, std::int64_t num_iterations, double momentum, std::uint64_t seed)
      : GriffinLim(config.with_window(), num_iterations, momentum, seed) {}

  std::int64_t num_samples(std::int64_t num_frames) const {
    return griffin_lim_.num_samples(num_frames);
  }

  // `magnitudes` is [batch, channels, frames, bins] of any strides, and `signal`, which is written
  // to, is [batch, channels, samples].
  void call(const py::array& magnitudes, py::array& signal, std::int32_t num_threads) const {
    check(magnitudes, signal);
    specfast_magnitudes arrays{};
    arrays.struct_size = sizeof(arrays);
    arrays.magnitudes = magnitudes.data();
    arrays.num_batches = magnitudes.shape(0);
    arrays.num_channels = magnitudes.shape(1);
    arrays.num_frames = magnitudes.shape(2);
    arrays.batch_stride = element_stride(magnitudes, 0);
    arrays.channel_stride = element_stride(magnitudes, 1);
    arrays.frame_stride = element_stride(magnitudes, 2);
    arrays.bin_stride = element_stride(magnitudes, 3);
    arrays.signal = signal.mutable_data();
    arrays.num_samples = signal.shape(2);
    arrays.signal_batch_stride = element_stride(signal, 0);
    arrays.signal_channel_stride = element_stride(signal, 1);
    arrays.signal_sample_stride = element_stride(signal, 2);
    // An iteration transforms twice.
    const double work = 8 * double(num_iterations_) * double(magnitudes.size());
    call_engine(work, [&] { griffin_lim_.execute(arrays, num_threads); });
  }

 private:
  GriffinLim(const specfast_config& config, std::int64_t num_iterations, double momentum,
             std::uint64_t seed)
      : griffin_lim_(config, num_iterations, momentum, seed),
        dtype_(config.dtype),
        num_bins_(config.fft_length / 2 + 1),
        num_iterations_(num_iterations) {}

  void check(const py::array& magnitudes, const py::array& signal) const {
    if (magnitudes.ndim() != 4 || magnitudes.shape(3) != num_bins_) {
      throw py::value_error("magnitudes must have shape (batch, channels, frames, " +
                            std::to_string(num_bins_) + "), received shape " +
                            describe(shape_of(magnitudes)));
    }
    for (const py::array* const array : {&magnitudes, &signal}) require_dtype(*array, dtype_);
    require_signals(signal, magnitudes);
    require_writable(signal);
  }

  specfast::GriffinLim griffin_lim_;
  std::int32_t dtype_;
  std::int64_t num_bins_, num_iterations_;
};

}  // namespace

void register_griffin_lim(py::module_& module) {
  py::class_<GriffinLim>(module, "GriffinLim",
                         "Griffin-Lim for one transform; immutable, shared by threads.")
      .def("__init__", &construct<GriffinLim, const Config&, std::int64_t, double, std::uint64_t>,
           is_constructor(), py::arg("config"), py::arg("num_iterations") = 32,
           py::arg("momentum") = 0.99, py::arg("seed") = 0)
      .def("num_samples", &GriffinLim::num_samples, py::arg("num_frames"))
      .def("__call__", &GriffinLim::call, py::arg("magnitudes").noconvert(),
           py::arg("signal").noconvert(), py::arg("num_threads") = 0);
}

}  // namespace specfast_python
