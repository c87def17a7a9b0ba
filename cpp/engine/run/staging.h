// SPDX-License-Identifier: BSD-3-Clause
// Converts and scales the samples of a caller.
#pragma once

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

}  // namespace specfast::engine
