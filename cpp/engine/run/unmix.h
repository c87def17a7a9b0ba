// SPDX-License-Identifier: BSD-3-Clause
// Bins from the energies of bands.
#pragma once

#include "engine/plan/plan.h"

namespace specfast::engine {

// Checks the arrays, then computes the bins on at most num_threads threads.
void unmix_bands(const Plan& plan, int num_threads, const specfast_bands& bands);

}  // namespace specfast::engine
