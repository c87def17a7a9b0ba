// SPDX-License-Identifier: BSD-3-Clause
// Failures of the library's calls as exceptions.
#pragma once

#include <specfast/specfast.h>

#include <stdexcept>
#include <string>

namespace differential {

inline void check(specfast_status status) {
  if (status != SPECFAST_OK) throw std::runtime_error(specfast_last_error());
}

inline void require(bool holds, const std::string& message) {
  if (!holds) throw std::runtime_error(message);
}

}  // namespace differential
