// SPDX-License-Identifier: BSD-3-Clause
// The backend of this process: a library that is loaded once.
#pragma once

#include "seam/backend.h"

namespace specfast::engine {

// Loads it; null stands for the library's own name. Throws Error.
void load_backend(const char* path);

// Returns the functions of the backend; throws Error where there is none, and in a child of fork(),
// where what the parent's driver knew is lost.
const Backend& backend();

// Tells whether there is one here.
bool has_backend();

// Calls a function of the backend, whose last argument is the failure; throws Error where it fails.
template <typename Function, typename... Arguments>
void call_backend(Function function, Arguments... arguments);
[[noreturn]] void throw_failure(const BackendFailure& failure);

template <typename Function, typename... Arguments>
void call_backend(Function function, Arguments... arguments) {
  BackendFailure failure{};
  if (!function(arguments..., &failure)) throw_failure(failure);
}

}  // namespace specfast::engine
