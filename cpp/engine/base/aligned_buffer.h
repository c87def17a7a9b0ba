// SPDX-License-Identifier: BSD-3-Clause
// Memory for the kernels: aligned, and not cleared.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "engine/base/checked.h"
#include "seam/types.h"

namespace specfast::engine {

template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(int64_t count)
      : memory_(static_cast<T*>(::operator new[](std::size_t(checked_multiply(count, sizeof(T))),
                                                 std::align_val_t(kWorkspaceAlignment)))) {}
  T* get() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const {
      ::operator delete[](memory, std::align_val_t(kWorkspaceAlignment));
    }
  };
  std::unique_ptr<T[], Free> memory_;
};

// A buffer for each thread, far from those of others: where two cores work on memory less than
// about 256 KiB apart they can halve each other's speed (docs/design.md, Threads). Nobody touches
// the gaps.
template <typename T>
class ThreadBuffers {
 public:
  ThreadBuffers() = default;
  ThreadBuffers(int64_t count, int num_threads)
      : stride_(round_up(checked_add(count, kAlignment + kGap) - kAlignment, kAlignment)),
        memory_(checked_multiply(stride_, num_threads)) {}
  T* of_thread(int thread) const { return memory_.get() + thread * stride_ + kGap; }

 private:
  static constexpr int64_t kAlignment = int64_t(kWorkspaceAlignment / sizeof(T));
  static constexpr int64_t kGap = int64_t((std::size_t(256) << 10) / sizeof(T));

  int64_t stride_ = 0;
  AlignedBuffer<T> memory_;
};

}  // namespace specfast::engine
