// SPDX-License-Identifier: BSD-3-Clause
// The gradient through the top_db clamp.
#pragma once

#include <vector>

#include "engine/run/job.h"

namespace specfast::engine {

// Turns the levels of a call before the clamp, [signal][row][frame], into the gradient with respect
// to them.
template <typename T>
void top_db_gradient(const Config& config, double range, const Job& job, int64_t num_rows,
                     const specfast_gradient& gradient, int num_threads, std::vector<T>& levels);

}  // namespace specfast::engine
