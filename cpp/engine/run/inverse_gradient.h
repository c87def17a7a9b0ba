// SPDX-License-Identifier: BSD-3-Clause
// The gradient of an inverse: from that of its signals to that of the spectra.
#pragma once

#include "engine/plan/inverse_plan.h"

namespace specfast::engine {

// Checks the arrays, then computes the gradient on at most num_threads threads.
void pull_back_inverse(const InversePlan& plan, int num_threads,
                       const specfast_inverse_gradient& gradient);

}  // namespace specfast::engine
