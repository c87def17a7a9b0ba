// SPDX-License-Identifier: BSD-3-Clause
// The whole of a call on a stream, the making of its output included, belongs to one thread.
#pragma once

#include <atomic>
#include <stdexcept>

namespace specfast_python {

class ExclusiveUse {
 public:
  explicit ExclusiveUse(std::atomic_flag& busy) : busy_(busy) {
    if (busy_.test_and_set(std::memory_order_acquire)) {
      throw std::runtime_error(
          "a stream must be used by one thread at a time, received a call during another");
    }
  }
  ExclusiveUse(const ExclusiveUse&) = delete;
  ExclusiveUse& operator=(const ExclusiveUse&) = delete;
  ~ExclusiveUse() { busy_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& busy_;
};

}  // namespace specfast_python
