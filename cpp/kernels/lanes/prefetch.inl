// SPDX-License-Identifier: BSD-3-Clause
// Fetches input that the next tile will need while this one computes.
#pragma once

#include "kernels/lanes/isa.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Asks for a few lines between any two butterflies: all at once they would fill the core's queue of
// cache misses, and its loads would wait behind them.
class Prefetcher {
 public:
  // Fetches the next input that the arguments of a tile name.
  template <typename Args>
  Prefetcher(const Args& args, int64_t num_steps)
      : at_(static_cast<const char*>(args.next_input)),
        num_lines_((args.next_input_bytes + kLineBytes - 1) / kLineBytes),
        lines_per_step_(num_steps ? num_lines_ / num_steps + 1 : 0) {}

  SPECFAST_INLINE void step() { ask(lines_per_step_); }
  void finish() { ask(num_lines_); }

 private:
  static constexpr int64_t kLineBytes = 64;

  // Asks for up to `limit` of the lines that are left.
  SPECFAST_INLINE void ask(int64_t limit) {
    const int64_t count = limit < num_lines_ ? limit : num_lines_;
    const char* line = at_;
    for (int64_t i = 0; i < count; ++i, line += kLineBytes) __builtin_prefetch(line, 0, 2);
    at_ = line;
    num_lines_ -= count;
  }

  const char* at_;
  int64_t num_lines_, lines_per_step_;
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
