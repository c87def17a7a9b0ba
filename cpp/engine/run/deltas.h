// SPDX-License-Identifier: BSD-3-Clause
// The derivatives of rows over time.
#pragma once

#include "engine/run/scope.h"

namespace specfast::engine {

// Rows that follow those of the frames, computed of them when all frames are known; a stream, which
// does not know the frames that come, cannot have them.
template <typename T>
const ScopeOperation<T>& deltas();

}  // namespace specfast::engine
