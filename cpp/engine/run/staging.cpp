// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/staging.h"

#include <cmath>
#include <cstdio>

namespace specfast::engine {

bool scale_is_sound(double scale, Precision precision) noexcept {
  if (scale == 0) return true;
  return precision == Precision::kFloat64 ? std::isnormal(scale) : std::isnormal(float(scale));
}

std::array<char, 128> refused_scale(double scale) noexcept {
  std::array<char, 128> message;
  std::snprintf(message.data(), message.size(),
                "in_scale must be 0 or a normal number of the plan's dtype, received in_scale=%g",
                scale);
  return message;
}

}  // namespace specfast::engine
