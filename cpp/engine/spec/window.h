// SPDX-License-Identifier: BSD-3-Clause
// Window functions by name: those that scipy.signal.get_window makes of a name, and Kaldi's.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "seam/types.h"

namespace specfast::engine {

// Throws Error(SPECFAST_E_UNKNOWN_WINDOW) for a name that is not in window_name(). A periodic
// window is the symmetric one of length + 1 without its last value.
std::vector<double> make_window(const std::string& name, int64_t length, bool periodic);

// Name number `index`, aliases included; null past the last.
const char* window_name(std::size_t index);

// Returns the number that a scaling divides the window by. Sums run in double.
double window_divisor(const std::vector<double>& window, Scaling scaling);

}  // namespace specfast::engine
