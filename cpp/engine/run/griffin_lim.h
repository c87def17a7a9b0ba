// SPDX-License-Identifier: BSD-3-Clause
// Griffin-Lim: signals whose frames have given magnitudes.
#pragma once

#include <cstdint>

#include "engine/plan/inverse_plan.h"
#include "engine/plan/plan.h"

namespace specfast::engine {

struct PhaseSearch {
  int64_t num_iterations;
  double momentum;
  uint64_t seed;
};

// Throws Error unless the options are within their ranges.
PhaseSearch checked_search(const specfast_griffin_lim_options& options);

// Checks the arrays of a call, then computes it. `plan` is the transform that `inverse` inverts.
void find_signals(const Plan& plan, const InversePlan& inverse, const PhaseSearch& search,
                  int num_threads, const specfast_magnitudes& arrays);

}  // namespace specfast::engine
