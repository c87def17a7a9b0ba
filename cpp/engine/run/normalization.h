// SPDX-License-Identifier: BSD-3-Clause
// The normalisation of each row of a signal by its mean and deviation over the valid frames.
#pragma once

#include "engine/run/scope.h"

namespace specfast::engine {

// A row of which too few frames are known for a variance has variance 0. A NaN makes its row of the
// signal NaN. A stream cannot have it.
template <typename T>
const ScopeOperation<T>& normalization();

}  // namespace specfast::engine
