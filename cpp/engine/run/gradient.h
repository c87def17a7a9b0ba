// SPDX-License-Identifier: BSD-3-Clause
// Gradients of a call: of its signals, and of the kernels of a spectrogram mode.
#pragma once

#include "engine/plan/plan.h"

namespace specfast::engine {

// Checks the arguments, then computes what `gradient` asks for, on at most num_threads threads.
void pull_back(const Plan& plan, int num_threads, const specfast_batch& batch,
               const specfast_gradient& gradient);

}  // namespace specfast::engine
