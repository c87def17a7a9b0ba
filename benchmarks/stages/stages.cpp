// SPDX-License-Identifier: BSD-3-Clause
// Times the stages of one tile: cycles of the time-stamp counter, GFLOP/s beside the core's
// measured peak, for the kernels that SPECFAST_ISA selects. Built with SPECFAST_STAGE_CLOCK, so its
// kernels are not the shipped objects but the same code.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "engine/plan/dispatch.h"
#include "engine/plan/plan.h"
#include "engine/spec/window.h"

using namespace specfast::engine;

namespace {

struct Workload {
  const char* name;
  specfast_mode mode;
  specfast_dtype dtype;
  int64_t fft_length, frame_length, hop, num_mel_bins;
};

constexpr Workload kWorkloads[] = {
    {"W1 log 256/128, fft 512", SPECFAST_MODE_LOG, SPECFAST_FLOAT32, 512, 256, 128, 0},
    {"W2 mel 2048/512, 128 bands", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 2048, 2048, 512, 128},
    {"W3 mel 400/160, fft 512, 80 bands", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 512, 400, 160, 80},
    {"W7 stft 2048/512", SPECFAST_MODE_STFT, SPECFAST_FLOAT32, 2048, 2048, 512, 0},
    {"W7 psd 400/160, fft 400", SPECFAST_MODE_PSD, SPECFAST_FLOAT32, 400, 400, 160, 0},
    {"W8 W2 in float64", SPECFAST_MODE_MEL, SPECFAST_FLOAT64, 2048, 2048, 512, 128},
    {"W8 W3 in float64", SPECFAST_MODE_MEL, SPECFAST_FLOAT64, 512, 400, 160, 80},
};
constexpr const char* kStageNames[kNumStages] = {"gather", "first", "passes", "rows",
                                                 "sums",   "level", "store"};

double ticks_per_second() {
  const auto start = std::chrono::steady_clock::now();
  const uint64_t first = __builtin_ia32_rdtsc();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(100)) {
  }
  const uint64_t last = __builtin_ia32_rdtsc();
  return double(last - first) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Bytes read plus bytes written, between buffers that no cache holds.
double copy_bytes_per_second() {
  constexpr std::size_t kBytes = std::size_t(64) << 20;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  double best = 0;
  for (int trial = 0; trial < 5; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    std::memcpy(to.data(), from.data(), kBytes);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * kBytes / seconds);
  }
  return to[kBytes / 2] == 1 ? best : 0;
}

template <typename T>
void measure(const Workload& workload, double frequency) {
  specfast_config raw;
  init_config(raw, workload.mode);
  raw.dtype = workload.dtype;
  raw.fft_length = workload.fft_length;
  raw.frame_length = workload.frame_length;
  raw.hop = workload.hop;
  raw.num_mel_bins = workload.num_mel_bins;
  const std::vector<double> window = make_window("hann", workload.frame_length, true);
  raw.window = window.data();
  const Plan plan(raw);
  const TileVariant<T>& width = plan.precision<T>().wide();
  const int64_t lanes = width.kernel->lanes, rows = plan.num_rows();

  constexpr int64_t kTiles = 61;  // no power of two: output rows would share cache sets
  std::vector<T> signal(std::size_t((kTiles * lanes + 64) * workload.hop + workload.fft_length));
  std::mt19937 random(1);
  std::normal_distribution<T> normal;
  for (T& sample : signal) sample = normal(random);
  std::vector<T> out(std::size_t(rows * lanes * kTiles));
  std::vector<std::byte> scratch(plan.workspace_bytes() + kWorkspaceAlignment);
  void* workspace = scratch.data();
  std::size_t space = scratch.size();
  std::align(kWorkspaceAlignment, plan.workspace_bytes(), workspace, space);

  StageClock best;
  std::fill_n(best.ticks, int(kNumStages), ~uint64_t(0));
  for (int round = 0; round < 60; ++round) {
    StageClock clock{};
    for (int64_t tile = 0; tile < kTiles; ++tile) {
      TileArgs<T> args{};
      args.samples = signal.data() + tile * lanes * workload.hop;
      args.hop_stride = workload.hop;
      args.workspace = workspace;
      args.num_frames = lanes;
      const bool mel = workload.mode == SPECFAST_MODE_MEL;
      args.out = out.data() + tile * lanes * (mel ? 1 : rows);
      args.frame_stride = mel ? 1 : rows;
      args.row_stride = mel ? kTiles * lanes : 1;
      args.clock = &clock;
      width.kernel->run(width.tile, args);
    }
    for (int stage = 0; stage < kNumStages; ++stage)
      best.ticks[stage] = std::min(best.ticks[stage], clock.ticks[stage]);
  }

  double total = 0;
  for (const uint64_t ticks : best.ticks) total += double(ticks) / kTiles;
  const double n = double(workload.fft_length);
  const double transform_flop = 2.5 * n * std::log2(n) * double(lanes);
  std::printf("%-36s", workload.name);
  for (int stage = 0; stage < kNumStages; ++stage)
    std::printf(" %9.0f", double(best.ticks[stage]) / kTiles);
  std::printf(
      " %9.0f %9.1f %9.1f\n", total, double(lanes * workload.hop) / total * frequency / 1e6,
      transform_flop /
          (double(best.ticks[kStageFirstPass] + best.ticks[kStagePasses] + best.ticks[kStageRows]) /
           kTiles) *
          frequency / 1e9);
}

}  // namespace

int main() {
  const double frequency = ticks_per_second();
  std::printf("isa %s; peak %.0f GFLOP/s float32, copy %.1f GB/s; time-stamp counter %.2f GHz\n",
              kernels().isa, kernels().peak_flop_per_tick() * frequency / 1e9,
              copy_bytes_per_second() / 1e9, frequency / 1e9);
  std::printf(
      "ticks a tile, best of 60 rounds of 61 tiles; GFLOP/s: 2.5 N log2 N over first to rows\n");
  std::printf("%-36s", "");
  for (const char* name : kStageNames) std::printf(" %9s", name);
  std::printf(" %9s %9s %9s\n", "total", "Msample/s", "GFLOP/s");
  for (const Workload& workload : kWorkloads) {
    if (workload.dtype == SPECFAST_FLOAT32) {
      measure<float>(workload, frequency);
    } else {
      measure<double>(workload, frequency);
    }
  }
  return 0;
}
