// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Inverse: an inverse transform of arrays [batch][channel][frame][bin].
#pragma once

#include "python/arrays.h"
#include "python/config.h"
#include "python/workspace_pool.h"

namespace specfast_python {

// Spectra are two arrays of one shape [batch, channels, frames, bins] and the same strides, the
// real and the imaginary parts; signals are [batch, channels, samples]. All of the dtype of the
// configuration, and of any strides.
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
  py::tuple lost_samples(std::int64_t num_frames, std::int64_t num_samples) const;

  // Writes to `signal`.
  void call(const py::array& real, const py::array& imag, py::array& signal,
            std::int32_t num_threads) const;
  // Writes to `real` and `imag`.
  void pull_back(const py::array& cotangent, py::array& real, py::array& imag,
                 std::int32_t num_threads) const;

  // The spectra of a call, without a signal.
  specfast_spectra spectra_of(const py::array& real, const py::array& imag) const;
  // A value of a spectrum costs about what a sample of a transform does.
  static double work(const py::array& real) { return 4 * double(real.size()); }
  const specfast::Inverse& inverse() const { return inverse_; }
  std::int32_t dtype() const { return dtype_; }

 private:
  using Pool = BasicWorkspacePool<specfast::Inverse, specfast::Inverse::Workspace>;

  Inverse(const specfast_config& config, std::int64_t phase_origin, bool keeps_odd_length);

  specfast::Inverse inverse_;
  std::int32_t dtype_;
  std::int64_t num_bins_;
  mutable Pool workspaces_;
};

}  // namespace specfast_python
