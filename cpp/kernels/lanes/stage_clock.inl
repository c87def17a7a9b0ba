// SPDX-License-Identifier: BSD-3-Clause
// The instruments of the stage benchmark (benchmarks/stages). The library has none of them.
#pragma once

#include "kernels/lanes/simd.inl"

namespace SPECFAST_NAMESPACE {
namespace {

#if defined(SPECFAST_STAGE_CLOCK)

template <typename T>
class StageTimer {
 public:
  explicit StageTimer(const TileArgs<T>& args)
      : clock_(args.clock), last_(__builtin_ia32_rdtsc()) {}
  void end(Stage stage) {
    const uint64_t now = __builtin_ia32_rdtsc();
    clock_->ticks[stage] += now - last_;
    last_ = now;
  }

 private:
  StageClock* clock_;
  uint64_t last_;
};

double peak_flop_per_tick() {
  using V = Vec<float, SPECFAST_VECTOR_BYTES / 4>;
  constexpr int kChains = 10, kRounds = 20000;
  V sums[kChains] = {};
  const V a = broadcast<V>(0.5f), b = broadcast<V>(1.0f);
  double best = 0;
  for (int trial = 0; trial < 50; ++trial) {
    const uint64_t start = __builtin_ia32_rdtsc();
    for (int round = 0; round < kRounds; ++round) {
      for (V& sum : sums) {
        sum = madd(sum, a, b);
        __asm__ volatile("" : "+v"(sum));
      }
    }
    const double rate =
        2.0 * kChains * kRounds * kLanesOf<V> / double(__builtin_ia32_rdtsc() - start);
    if (rate > best) best = rate;
  }
  return best;
}

#else

template <typename T>
struct StageTimer {
  explicit StageTimer(const TileArgs<T>&) {}
  void end(Stage) {}
};

#endif

}  // namespace
}  // namespace SPECFAST_NAMESPACE
