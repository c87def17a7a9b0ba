// SPDX-License-Identifier: BSD-3-Clause
// What a kernel is written in: a program of phases. A phase is a function that every thread of a
// block runs; between two phases is a barrier. Nothing but registers and shared memory passes from
// one to the next, and within a phase no thread reads what another one writes there.
//
// A program takes the block as an argument, so that the tests can run it on a CPU with a block of
// their own, which runs the threads of a phase in any order and watches each access to shared
// memory. Both have:
//
//   index()           the number of this block in the grid
//   num_threads()     the threads of the block
//   phase(f)          calls f(thread, registers) for every thread, then waits for all
//   shared<U>(count)  the next `count` elements of shared memory, see SharedBytes
#pragma once

#include "cuda/kernels/isa.h"

namespace SPECFAST_NAMESPACE {
namespace {

// Counts the bytes that a program's shared arrays take, in the order in which it asks for them.
class SharedBytes {
 public:
  template <typename U>
  constexpr SharedBytes& add(int64_t count) {
    bytes_ = begin_of_next(bytes_) + count * int64_t(sizeof(U));
    return *this;
  }
  constexpr int64_t total() const { return bytes_; }
  static SPECFAST_HOST_DEVICE constexpr int64_t begin_of_next(int64_t end) {
    return (end + 15) / 16 * 16;
  }

 private:
  int64_t bytes_ = 0;
};

#if defined(__CUDACC__)

template <typename Registers>
class DeviceBlock {
 public:
  SPECFAST_INLINE explicit DeviceBlock(unsigned char* shared) : shared_(shared) {}

  SPECFAST_INLINE int64_t index() const { return blockIdx.x; }
  SPECFAST_INLINE int num_threads() const { return int(blockDim.x); }

  template <typename Phase>
  SPECFAST_INLINE void phase(const Phase& phase) {
    phase(int(threadIdx.x), registers_);
    __syncthreads();
  }

  template <typename U>
  SPECFAST_INLINE U* shared(int64_t count) {
    end_ = SharedBytes::begin_of_next(end_);
    U* const array = reinterpret_cast<U*>(shared_ + end_);
    end_ += count * int64_t(sizeof(U));
    return array;
  }

 private:
  unsigned char* shared_;
  int64_t end_ = 0;
  Registers registers_;
};

#endif

}  // namespace
}  // namespace SPECFAST_NAMESPACE
