// SPDX-License-Identifier: BSD-3-Clause
// The top_db clamp: max(level, maximum of the scope - top_db), where the scope is the batch or each
// clip.
#pragma once

#include "engine/run/scope.h"

namespace specfast::engine {

// In the gradient a level at or below the floor passes its gradient on to the maximum; several
// maxima share alike. NaN where the scope holds a NaN.
template <typename T>
const ScopeOperation<T>& top_db();

}  // namespace specfast::engine
