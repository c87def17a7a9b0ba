// SPDX-License-Identifier: BSD-3-Clause
// Per-channel energy normalisation: each band against its own smoothed past.
#pragma once

#include "engine/run/scope.h"

namespace specfast::engine {

// A call smooths over all frames first, and keeps what is known at the beginning of each tile;
// tiles then go on from there, in any order.
template <typename T>
const ScopeOperation<T>& pcen();

}  // namespace specfast::engine
