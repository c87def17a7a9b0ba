// SPDX-License-Identifier: BSD-3-Clause
// Arithmetic with subnormal numbers, the ones below the normal range, takes up to a hundred times
// as long as any other on many processors.
#pragma once

#include <cstdint>

namespace specfast::engine {

// Has this thread take subnormal numbers for zero while it lives, if `applies`: operands and
// results alike. Restores the thread's floating-point settings, flags included.
class FlushSubnormals {
 public:
  explicit FlushSubnormals(bool applies) : applies_(applies) {
    if (!applies_) return;
    saved_ = get();
    set(saved_ | kFlush);
  }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;
  ~FlushSubnormals() {
    if (applies_) set(saved_);
  }

 private:
#if defined(__SSE2__)
  using Register = uint32_t;
  static constexpr Register kFlush = 0x8040;  // results (FTZ) and operands (DAZ)
  static Register get() { return __builtin_ia32_stmxcsr(); }
  static void set(Register value) { __builtin_ia32_ldmxcsr(value); }
#elif defined(__aarch64__)
  using Register = uint64_t;
  static constexpr Register kFlush = Register(1) << 24;  // FZ: both
  static Register get() {
    Register value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void set(Register value) { asm volatile("msr fpcr, %0" ::"r"(value)); }
#else
  using Register = uint32_t;
  static constexpr Register kFlush = 0;
  static Register get() { return 0; }
  static void set(Register) {}
#endif

  const bool applies_;
  Register saved_ = 0;
};

}  // namespace specfast::engine
