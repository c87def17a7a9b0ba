// SPDX-License-Identifier: BSD-3-Clause
// Samples as a caller has them, to the plan's own numbers: converted and scaled.
#pragma once

#include <array>
#include <cstdint>

#include "seam/types.h"

namespace specfast::engine {

// Whether `scale` can be what samples are multiplied by: 0, which stands for 1, or a number that
// the precision can hold.
bool scale_is_sound(double scale, Precision precision) noexcept;
// What to say of one that is not.
std::array<char, 128> refused_scale(double scale) noexcept;
template <typename T>
T scale_of(double in_scale) noexcept {
  return in_scale == 0 ? T(1) : T(in_scale);
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
