// SPDX-License-Identifier: BSD-3-Clause
// The gradient through the top_db clamp, max(level, max over the scope of level - top_db).
#pragma once

#include <vector>

#include "engine/run/job.h"

namespace specfast::engine {

// Turns the levels of a call before the clamp, [signal][row][frame], into the gradient with respect
// to them. A level at or below the floor passes its gradient on to the maximum; several maxima
// share alike. NaN where the scope holds a NaN. The sums are taken in a fixed order.
template <typename T>
void top_db_gradient(const Config& config, const Job& job, int64_t num_rows,
                     const specfast_gradient& gradient, int num_threads, std::vector<T>& levels);

}  // namespace specfast::engine
