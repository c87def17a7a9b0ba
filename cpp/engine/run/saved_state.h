// SPDX-License-Identifier: BSD-3-Clause
// The header of a saved state: numbers that say of which stream it is, then the position.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/error.h"

namespace specfast::engine {

// Reads the header of a state, whose first numbers must be those of `own`, by their names.
template <std::size_t kCount, std::size_t kNames>
specfast_status read_header(const std::byte* bytes, std::size_t num_bytes,
                            const std::array<int64_t, kCount>& own,
                            const char* const (&names)[kNames],
                            std::array<int64_t, kCount>& header) noexcept {
  if (num_bytes < sizeof(header)) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"num_bytes must be at least ", int64_t(sizeof(header)),
                 ", received num_bytes=", int64_t(num_bytes)});
  }
  std::memcpy(header.data(), bytes, sizeof(header));
  for (std::size_t i = 0; i < kNames; ++i) {
    if (header[i] == own[i]) continue;
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"bytes must be the state of a stream like this one, with ", names[i], "=", own[i],
                 ", received ", names[i], "=", header[i]});
  }
  return SPECFAST_OK;
}

}  // namespace specfast::engine
