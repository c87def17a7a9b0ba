// SPDX-License-Identifier: BSD-3-Clause
// Streams are used by one thread at a time; a second call is refused, not made to wait.
#pragma once

#include <atomic>

#include "engine/base/error.h"

namespace specfast::engine {

// Makes the call while no other thread is inside one with this stream, which has a flag `busy`.
template <typename Handle, typename Call>
specfast_status exclusively(Handle* stream, const Call& call) noexcept {
  if (const auto status = check_pointer("stream", stream); status != SPECFAST_OK) return status;
  if (stream->busy.test_and_set(std::memory_order_acquire)) {
    return fail(SPECFAST_E_BUSY,
                {"a stream must be used by one thread at a time, received a call during another"});
  }
  const specfast_status status = call();
  stream->busy.clear(std::memory_order_release);
  return status;
}

}  // namespace specfast::engine
