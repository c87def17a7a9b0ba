// SPDX-License-Identifier: BSD-3-Clause
// Long calls ask their caller, now and then, whether they shall go on.
#pragma once

#include "specfast/specfast.h"

namespace specfast::engine {

// Sets what calls of this thread ask, for the first time in 50 ms; null: nothing.
void set_interrupt(specfast_interrupt interrupt, void* context) noexcept;

// Returns whether this thread's call shall end. Asks at most every 50 ms.
bool is_interrupted() noexcept;

// Throws Error where a call was ended by that.
[[noreturn]] void throw_interrupted();

}  // namespace specfast::engine
