// SPDX-License-Identifier: BSD-3-Clause
// Checks that several files of the C ABI make.
#pragma once

#include <string>

#include "engine/base/error.h"
#include "engine/base/parallel.h"

namespace specfast::engine {

// Throws unless the pointer is that of a structure of the size that this library knows.
template <typename Struct>
void require_struct(const char* name, const Struct* pointer) {
  require_pointer(name, pointer);
  require_struct_size(name, pointer->struct_size, sizeof(Struct));
}

inline void require_num_threads(int32_t num_threads) {
  if (num_threads >= 0 && num_threads <= kMaxThreads) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "num_threads must be between 1 and " + std::to_string(kMaxThreads) +
                  ", or 0 for the default, received num_threads=" + std::to_string(num_threads));
}

// A runner has as many tasks as it is told, and no default.
inline void require_runner_threads(int32_t num_threads) {
  if (num_threads == 0) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "num_threads must be the most tasks that a call may give to the runner, at least "
                "1, received num_threads=0");
  }
  require_num_threads(num_threads);
}

}  // namespace specfast::engine
