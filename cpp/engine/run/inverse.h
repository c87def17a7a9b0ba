// SPDX-License-Identifier: BSD-3-Clause
// A call of an inverse: the frames of signals become samples.
#pragma once

#include <cstdint>

#include "engine/plan/inverse_plan.h"
#include "engine/plan/workspace.h"

namespace specfast::engine {

struct LostSamples {
  int64_t at_begin, at_end;
};

// Tells whether so many frames can stand for a signal of that length; both are not negative, and
// small enough for their product with hop.
bool is_length_of(const Config& config, int64_t num_frames, int64_t num_samples);
// Throws Error unless they can.
void check_num_samples(const Config& config, int64_t num_frames, int64_t num_samples);

// Returns how many samples at both ends of a signal no frame holds.
LostSamples lost_samples(const InversePlan& plan, int64_t num_frames, int64_t num_samples);

// Checks the arrays of a call, then computes it.
void invert(const InversePlan& plan, Workspace& workspace, const specfast_spectra& spectra);

}  // namespace specfast::engine
