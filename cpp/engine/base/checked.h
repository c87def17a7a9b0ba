// SPDX-License-Identifier: BSD-3-Clause
// Sizes in checked 64-bit integers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace specfast::engine {

// A number of bytes that has passed these checks is passed on to allocations as it is.
static_assert(sizeof(std::size_t) == sizeof(int64_t),
              "specfast needs a 64-bit target: it checks sizes in 64 bits and allocates them");

// Throw Error(SPECFAST_E_OVERFLOW) when the result does not fit.
int64_t checked_multiply(int64_t a, int64_t b);
int64_t checked_add(int64_t a, int64_t b);

// For a >= 0 and b > 0.
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return ceil_div(value, multiple) * multiple;
}

}  // namespace specfast::engine
