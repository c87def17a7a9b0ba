// SPDX-License-Identifier: BSD-3-Clause
// The mel scale of HTK as Keras writes it: mel(f) = 1127 ln(1 + f / 700), f in Hz.
#pragma once

#include <cmath>

#include "engine/spec/elementary.h"

namespace specfast::engine {

// mel(f) / 1127, for ratios of differences.
inline double mel_without_factor(double hz) { return log_of_one_plus(hz / 700.0); }

inline double hertz_to_mel(double hz) { return 1127.0 * mel_without_factor(hz); }

inline double mel_to_hertz(double mel) { return 700.0 * std::expm1(mel / 1127.0); }

}  // namespace specfast::engine
