// SPDX-License-Identifier: BSD-3-Clause
// The border to a host, which is written in C: nothing may be thrown across it.
#pragma once

#include <cstdio>
#include <exception>

namespace specfast_vamp {

// Returns what `body` returns. Where it throws, says why on standard error and returns `otherwise`.
template <typename Result, typename Body>
Result guarded(Result otherwise, const Body& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "specfast: %s\n", error.what());
  } catch (...) {
    std::fputs("specfast: unknown exception\n", stderr);
  }
  return otherwise;
}

}  // namespace specfast_vamp
