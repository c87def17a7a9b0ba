// SPDX-License-Identifier: BSD-3-Clause
// Memory for the kernels: aligned, and not cleared.
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "../kernels/kernel_table.h"
#include "geometry.h"

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

}  // namespace specfast::engine
