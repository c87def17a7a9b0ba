// SPDX-License-Identifier: BSD-3-Clause
// From the powers of a group of frames to its levels in the output, and their extrema.
#pragma once

#include "cuda/kernels/block.inl"
#include "cuda/kernels/memory.inl"
#include "cuda/kernels/plan.h"
#include "kernels/ops/levels.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Returns the energy of a band: the bins of two intervals, over which it rises and falls.
template <typename Powers, typename T>
SPECFAST_INLINE T band_energy(const TilePlan<T>& plan, const Powers& powers, int64_t first,
                              int64_t band) {
  // A band that holds no bin must still show the NaN or infinity of its frame.
  const T dc = powers[first];
  T rising = dc != dc ? dc : T(0), falling = rising;
  const int32_t* const begin = plan.interval_begin + band;
  for (int32_t bin = begin[0]; bin < begin[1]; ++bin)
    rising = madd(T(powers[first + bin]), plan.mel_weights[2 * bin], rising);
  for (int32_t bin = begin[1]; bin < begin[2]; ++bin)
    falling = madd(T(powers[first + bin]), plan.mel_weights[2 * bin + 1], falling);
  return rising + falling;
}

// Calls body(frame of the group, row, place in the output) for the thread's share of the rows of a
// group. Neighbouring threads have what are neighbours in the output.
template <typename Body>
SPECFAST_INLINE void for_each_row(const BackendCall& call, const Group& group, int num_rows,
                                  int thread, int num_threads, const Body& body) {
  const int64_t begin = group.output_of(call, 0);
  const bool frames_first = call.out_frame_stride < call.out_row_stride;
  const int frames = group.num_frames;
  for (int i = thread; i < frames * num_rows; i += num_threads) {
    const int frame = frames_first ? i % frames : i / num_rows;
    const int row = frames_first ? i / frames : i % num_rows;
    body(frame, row, begin + frame * call.out_frame_stride + row * call.out_row_stride);
  }
}

// What a thread has seen of the levels.
template <typename T>
struct ThreadExtrema {
  T max = -T(__builtin_inf()), min = T(__builtin_inf());
  int32_t has_nan = 0;

  SPECFAST_INLINE void include(T level) {
    max = level > max ? level : max;
    min = level < min ? level : min;
    has_nan |= level != level;
  }
  SPECFAST_INLINE void include(const ThreadExtrema& other) {
    max = other.max > max ? other.max : max;
    min = other.min < min ? other.min : min;
    has_nan |= other.has_nan;
  }
};

// Joins the extrema of all threads, `take(thread, registers)`, and gives them to `put` on thread 0.
// The threads are a power of two.
template <typename T, typename Block, typename Take, typename Put>
SPECFAST_INLINE void join_extrema(Block& block, const Take& take, const Put& put) {
  auto seen = block.template shared<ThreadExtrema<T>>(block.num_threads());
  block.phase([&](int thread, auto& registers) { seen[thread] = take(thread, registers); });
  for (int half = block.num_threads() / 2; half > 0; half /= 2) {
    block.phase([&](int thread, auto&) {
      if (thread >= half) return;
      ThreadExtrema<T> both = seen[thread];
      both.include(ThreadExtrema<T>(seen[thread + half]));
      seen[thread] = both;
    });
  }
  block.phase([&](int thread, auto&) {
    if (thread == 0) put(ThreadExtrema<T>(seen[0]));
  });
}

// Writes the levels of a group whose frame f has its powers from f * power_stride on, and notes
// their extrema in the thread's registers.
template <typename Powers, typename T>
SPECFAST_INLINE void write_levels(const DeviceCall<T>& call, const Group& group,
                                  const Powers& powers, int64_t power_stride, int thread,
                                  int num_threads, ThreadExtrema<T>& extrema) {
  const TilePlan<T>& plan = call.plan.tile;
  const auto write_all = [&](auto operation) {
    using Op = decltype(operation);
    for_each_row(call.arrays, group, int(plan.num_bands), thread, num_threads,
                 [&](int frame, int band, int64_t place) {
                   const T energy = band_energy(plan, powers, frame * power_stride, band);
                   const T level = Op::value_of_one(plan, energy);
                   extrema.include(level);
                   put_result(call.arrays, place, level);
                 });
  };
  if (plan.level_op == LevelOp::kDecibel) {
    write_all(Decibel());
  } else {
    write_all(Identity());
  }
}

// Leaves the extrema of all threads with the call, for top_db.
template <typename T, typename Block>
SPECFAST_INLINE void keep_extrema(Block& block, const DeviceCall<T>& call, int64_t index) {
  join_extrema<T>(
      block, [](int, const auto& registers) { return registers.extrema; },
      [&](const ThreadExtrema<T>& all) {
        call.extrema[index] = {all.max, all.min, all.has_nan != 0};
      });
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
