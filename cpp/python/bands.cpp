// SPDX-License-Identifier: BSD-3-Clause
// Bins from the energies of bands, as arrays [signal][frame][band] and [signal][frame][bin].
#include "python/arrays.h"
#include "python/config.h"
#include "python/construct.h"
#include "python/gil.h"

namespace specfast_python {
namespace {

// The filterbank of a configuration with mode MEL. Immutable, shared by threads.
class Unmixing {
 public:
  explicit Unmixing(const Config& config) : Unmixing(config.with_window()) {}

  // Writes to `bins`. Both arrays have the dtype of the configuration, and any strides.
  void call(const py::array& energies, py::array& bins, std::int64_t num_iterations,
            std::int32_t num_threads) const {
    check(energies, bins);
    specfast_bands bands{};
    bands.struct_size = sizeof(bands);
    bands.energies = energies.data();
    bands.num_signals = energies.shape(0);
    bands.num_frames = energies.shape(1);
    bands.energy_signal_stride = element_stride(energies, 0);
    bands.energy_frame_stride = element_stride(energies, 1);
    bands.energy_band_stride = element_stride(energies, 2);
    bands.bins = bins.mutable_data();
    bands.bins_signal_stride = element_stride(bins, 0);
    bands.bins_frame_stride = element_stride(bins, 1);
    bands.bins_bin_stride = element_stride(bins, 2);
    bands.num_iterations = num_iterations;
    if (num_threads == 0) num_threads = specfast::num_threads();
    call_engine(double(bins.size()) * double(num_iterations),
                [&] { plan_.unmix_bands(num_threads, bands); });
  }

 private:
  explicit Unmixing(const specfast_config& config)
      : plan_(config),
        dtype_(config.dtype),
        num_bands_(config.num_mel_bins),
        num_bins_(config.fft_length / 2 + 1) {}

  void check(const py::array& energies, const py::array& bins) const {
    const bool fits = energies.ndim() == 3 && bins.ndim() == 3 &&
                      energies.shape(0) == bins.shape(0) && energies.shape(1) == bins.shape(1) &&
                      energies.shape(2) == num_bands_ && bins.shape(2) == num_bins_;
    if (!fits) {
      throw py::value_error("energies and bins must have shapes (signals, frames, " +
                            std::to_string(num_bands_) + ") and (signals, frames, " +
                            std::to_string(num_bins_) + "), received " +
                            describe(shape_of(energies)) + " and " + describe(shape_of(bins)));
    }
    for (const py::array* const array : {&energies, &bins}) require_dtype(*array, dtype_);
    require_writable(bins);
  }

  specfast::Plan plan_;
  std::int32_t dtype_;
  std::int64_t num_bands_, num_bins_;
};

}  // namespace

void register_bands(py::module_& module) {
  py::class_<Unmixing>(module, "Unmixing", "From the energies of bands back to bins.")
      .def("__init__", &construct<Unmixing, const Config&>, is_constructor(), py::arg("config"))
      .def("__call__", &Unmixing::call, py::arg("energies").noconvert(),
           py::arg("bins").noconvert(), py::arg("num_iterations"), py::arg("num_threads") = 0);
}

}  // namespace specfast_python
