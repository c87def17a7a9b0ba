// SPDX-License-Identifier: BSD-3-Clause
// A number that tells configurations apart.
#pragma once

#include <cstdint>

#include "engine/spec/config.h"

namespace specfast::engine {

// Returns a hash of every value that affects a frame, the window included; equal on all machines.
uint64_t fingerprint(const Config& config);

}  // namespace specfast::engine
