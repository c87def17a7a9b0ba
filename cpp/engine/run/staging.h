// SPDX-License-Identifier: BSD-3-Clause
// Converts and scales the samples of a caller.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "seam/types.h"
#include "specfast/specfast.h"

namespace specfast::engine {

// Tells whether samples can be multiplied by `scale`: 0, which stands for 1, or a number that the
// precision can hold.
bool scale_is_sound(double scale, Precision precision) noexcept;
// The error message for an unsound scale.
std::array<char, 128> refused_scale(double scale) noexcept;
template <typename T>
T scale_of(double in_scale) noexcept {
  return in_scale == 0 ? T(1) : T(in_scale);
}

// Calls body with a null pointer to the type of a specfast_dtype.
template <typename Body>
decltype(auto) with_input_type(int32_t dtype, const Body& body) {
  switch (dtype) {
    case SPECFAST_FLOAT32:
      return body(static_cast<const float*>(nullptr));
    case SPECFAST_FLOAT64:
      return body(static_cast<const double*>(nullptr));
    default:
      return body(static_cast<const int16_t*>(nullptr));
  }
}

// Calls body with a zero of the type that a plan computes in.
template <typename Body>
decltype(auto) with_precision(Precision precision, const Body& body) {
  return precision == Precision::kFloat64 ? body(double()) : body(float());
}

template <typename In, typename T>
void copy_samples(const In* from, int64_t stride, int64_t count, T* to, T scale = T(1)) noexcept {
  if (stride == 1 && scale == T(1)) {
    for (int64_t i = 0; i < count; ++i) to[i] = T(from[i]);
  } else if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) to[i] = T(from[i]) * scale;
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = T(from[i * stride]) * scale;
  }
}

// How a clip is read with preemphasis over the whole signal: each sample minus the coefficient
// times the one before it; the first one, number 0, has none.
template <typename T>
struct SignalFilter {
  T scale, coefficient;

  // Returns a sample that is not the first; the one before it lies `stride` in front of it.
  template <typename In>
  T operator()(const In* sample, int64_t stride) const noexcept {
    return T(sample[0]) * scale - coefficient * (T(sample[-stride]) * scale);
  }
};

// Writes `count` filtered samples to `to`: those of number first, first + step, ..., where step is
// 1, 0 or -1. `signal` is sample 0, and samples lie `stride` apart.
template <typename In, typename T>
void copy_filtered(const In* signal, int64_t stride, int64_t first, int64_t step, int64_t count,
                   T* to, SignalFilter<T> filter) noexcept {
  int64_t begin = 0, end = count;
  if (step == 0) end = 1;
  // The first sample can only stand at one end of a run.
  if (first == 0) {
    to[begin++] = T(signal[0]) * filter.scale;
  } else if (first + step * (end - 1) == 0) {
    to[--end] = T(signal[0]) * filter.scale;
  }
  const In* const from = signal + first * stride;
  if (step == 1 && stride == 1) {
    for (int64_t i = begin; i < end; ++i) to[i] = filter(from + i, 1);
  } else {
    for (int64_t i = begin; i < end; ++i) to[i] = filter(from + i * step * stride, stride);
  }
  if (step == 0) std::fill(to + 1, to + count, to[0]);
}

}  // namespace specfast::engine
