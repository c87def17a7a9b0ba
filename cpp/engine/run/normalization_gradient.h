// SPDX-License-Identifier: BSD-3-Clause
// The gradient of the normalisation of rows.
#pragma once

#include <vector>

#include "engine/run/job.h"

namespace specfast::engine {

// Replaces the values before the normalisation, [signal][row][frame], by the gradient with respect
// to them.
template <typename T>
void normalization_gradient(const Config& config, const Job& job, int64_t num_rows,
                            const specfast_gradient& gradient, int num_threads,
                            std::vector<T>& values);

}  // namespace specfast::engine
