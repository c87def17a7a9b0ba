// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/checked.h"

#include <string>

#include "engine/base/error.h"

namespace specfast::engine {
namespace {

int64_t fitting(bool overflows, int64_t result, int64_t a, const char* sign, int64_t b) {
  if (!overflows) return result;
  throw Error(SPECFAST_E_OVERFLOW, "sizes do not fit 64 bits: " + std::to_string(a) + sign +
                                       std::to_string(b) + " overflows");
}

}  // namespace

int64_t checked_multiply(int64_t a, int64_t b) {
  int64_t result;
  const bool overflows = __builtin_mul_overflow(a, b, &result);
  return fitting(overflows, result, a, " * ", b);
}

int64_t checked_add(int64_t a, int64_t b) {
  int64_t result;
  const bool overflows = __builtin_add_overflow(a, b, &result);
  return fitting(overflows, result, a, " + ", b);
}

}  // namespace specfast::engine
