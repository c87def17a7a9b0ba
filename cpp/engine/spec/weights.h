// SPDX-License-Identifier: BSD-3-Clause
// The convolution kernels by which Keras' STFTSpectrogram computes: the analytic ones, and whether
// given ones are those but for rounding.
#pragma once

#include <vector>

#include "engine/spec/config.h"
#include "engine/spec/modes.h"

namespace specfast::engine {

// Both kernels [frame_length][num_bins]; one that the mode does not have is empty.
struct Weights {
  std::vector<double> real, imag;
};

inline bool has_real_kernel(SpectrumOp op) { return traits_of(op).has_real_kernel; }
inline bool has_imag_kernel(SpectrumOp op) { return traits_of(op).has_imag_kernel; }
inline int64_t num_kernels(SpectrumOp op) { return has_real_kernel(op) + has_imag_kernel(op); }

// The window, scaled, times cos and -sin of 2 pi n k / dft_length. `config` must still have its
// window, here and below.
Weights analytic_weights(const Config& config);

// A kernel in the caller's memory and type; null if the mode does not have it.
struct GivenKernel {
  const float* single = nullptr;
  const double* full = nullptr;

  explicit operator bool() const { return single || full; }
  double operator[](std::size_t index) const { return full ? full[index] : double(single[index]); }
};

struct GivenWeights {
  GivenKernel real, imag;
};

// Checks that the weights given are those of the mode. They are not copied.
GivenWeights checked_weights(const Config& config, const specfast_weights& raw);

// Tells whether no weight is farther from the analytic one than Keras' own computation in a type of
// this machine epsilon may be: epsilon * (max |window| + |window[n]| * (8 + 2 angle)), with angle =
// 2 pi n k / dft_length, which Keras does not reduce. (Measured in float32 on its four backends: at
// most 0.9 of that. In float64, Keras on JAX and NumPy is only as exact as float32.)
bool are_analytic(const Config& config, const GivenWeights& weights, double epsilon);

}  // namespace specfast::engine
