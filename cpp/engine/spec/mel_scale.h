// SPDX-License-Identifier: BSD-3-Clause
// The mel scales: HTK's as Keras writes it, mel(f) = 1127 ln(1 + f / 700), and that of Slaney's
// Auditory Toolbox, which is linear below 1000 Hz. f in Hz.
#pragma once

#include "engine/spec/elementary.h"
#include "seam/types.h"

namespace specfast::engine {

// mel(f) / 1127, for ratios of differences.
inline double mel_without_factor(double hz) { return log_of_one_plus(hz / 700.0); }

inline double hertz_to_mel(double hz) { return 1127.0 * mel_without_factor(hz); }

constexpr double kSlaneyBreakHz = 1000, kSlaneyBreakMel = 15;
inline double slaney_step() { return logarithm(6.4) / 27; }

// The place of a frequency on a scale, in a unit of its own, and back.
inline double to_scale(MelScale scale, double hz) {
  if (scale == MelScale::kHtk) return mel_without_factor(hz);
  if (hz < kSlaneyBreakHz) return hz * 3 / 200;
  return kSlaneyBreakMel + logarithm(hz / kSlaneyBreakHz) / slaney_step();
}

inline double from_scale(MelScale scale, double place) {
  if (scale == MelScale::kHtk) return 700.0 * exponential_less_one(place);
  if (place < kSlaneyBreakMel) return place * 200 / 3;
  return kSlaneyBreakHz * exponential(slaney_step() * (place - kSlaneyBreakMel));
}

}  // namespace specfast::engine
