// SPDX-License-Identifier: BSD-3-Clause
// The modes and levels of the C ABI and the operations behind them, all from the lists in
// seam/types.h.
#pragma once

#include <cstdint>
#include <optional>

#include "seam/types.h"
#include "specfast/specfast.h"

namespace specfast::engine {

// Returns the operation of a specfast_mode, or nothing if the number is none.
inline std::optional<SpectrumOp> spectrum_op_of(int32_t mode) {
  switch (mode) {
#define SPECFAST_CASE(Name, MODE, ...) \
  case SPECFAST_MODE_##MODE:           \
    return SpectrumOp::k##Name;
    SPECFAST_SPECTRUM_OPERATIONS(SPECFAST_CASE)
#undef SPECFAST_CASE
    default:
      return std::nullopt;
  }
}

inline const SpectrumOpTraits& traits_of(SpectrumOp op) { return kSpectrumOps[int(op)]; }

// Returns the name of a specfast_mode, "real" to "mel", or null if the number is none. The text
// lives as long as the library.
inline const char* mode_name(int32_t mode) {
  const std::optional<SpectrumOp> op = spectrum_op_of(mode);
  return op ? traits_of(*op).mode_name : nullptr;
}

// A level of the C ABI has its place in the list as its number.
enum LevelPlaces : int32_t {
#define SPECFAST_PLACE(LEVEL, ...) kPlaceOf##LEVEL,
  SPECFAST_LEVELS(SPECFAST_PLACE)
#undef SPECFAST_PLACE
};
#define SPECFAST_CHECK(LEVEL, ...) \
  static_assert(int32_t(kPlaceOf##LEVEL) == int32_t(SPECFAST_LEVEL_##LEVEL));
SPECFAST_LEVELS(SPECFAST_CHECK)
#undef SPECFAST_CHECK

// Returns the name of a specfast_level, "energy" or "decibel", or null if the number is none. The
// text lives as long as the library.
inline const char* level_name(int32_t level) {
  return level >= 0 && level < kNumLevels ? kLevels[level].level_name : nullptr;
}

}  // namespace specfast::engine
