// SPDX-License-Identifier: BSD-3-Clause
// One kernel from samples to results, for transforms of 2^6 to 2^12 points: samples are read once,
// results written once, and nothing in between leaves the block.
//
// A block computes a group of frames, as many at once as its threads can transform. Spectrograms
// leave it bin by bin; the powers of a filterbank stay in shared memory until the whole group has
// them, so that neighbouring threads write neighbouring frames.
#pragma once

#include <utility>

#include "cuda/kernels/bands.inl"
#include "cuda/kernels/bins.inl"
#include "cuda/kernels/transform.inl"
#include "kernels/transform/mirror.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Reads the points of a thread from a frame of side by side numbers, an even count of them and none
// padding. No load depends on a condition, so all are under way at once: where the frame has ended
// its first numbers are read.
template <typename Shape, bool kInPairs, typename T>
SPECFAST_INLINE void read_neighbours(const T* first, int length, int thread,
                                     Points<Shape, T>& points) {
#pragma unroll
  for (int i = 0; i < Shape::kThreadPoints; ++i) {
    const int n = 2 * (thread + i * Shape::kFrameThreads);
    const T* const pair = first + (n < length ? n : 0);
    points[i] = kInPairs ? load_pair(pair) : Complex<T>{pair[0], pair[1]};
  }
}

// Reads the points of a thread, multiplied by the window; beyond the frame both are zero.
template <typename Shape, typename T>
SPECFAST_INLINE void read_points(const TilePlan<T>& plan, const FrameReader<T>& frame, int thread,
                                 Points<Shape, T>& points) {
  const int length = int(plan.frame_length);
  if (const T* const first = frame.neighbours()) {
    if (reinterpret_cast<uintptr_t>(first) % (2 * sizeof(T)) == 0) {
      read_neighbours<Shape, true>(first, length, thread, points);
    } else {
      read_neighbours<Shape, false>(first, length, thread, points);
    }
  } else {
#pragma unroll
    for (int i = 0; i < Shape::kThreadPoints; ++i) {
      const int n = 2 * (thread + i * Shape::kFrameThreads);
      points[i] = {n < length ? frame.number(n) : T(0),
                   n + 1 < length ? frame.number(n + 1) : T(0)};
    }
  }
  const bool is_full = length == 2 * Shape::kPoints;
#pragma unroll
  for (int i = 0; i < Shape::kThreadPoints; ++i) {
    const int n = 2 * (thread + i * Shape::kFrameThreads);
    const Complex<T> window = load_pair(plan.window + n);
    // A NaN beyond the frame would stay one if multiplied by zero; one number beyond it is zero.
    const bool is_in_frame = is_full || n < length;
    points[i].re = is_in_frame ? frame.scaled(points[i].re) * window.re : T(0);
    points[i].im = is_in_frame ? frame.scaled(points[i].im) * window.im : T(0);
  }
}

// Makes bins of the points of a frame. Each thread takes some pairs of mirror images.
template <typename Shape, typename T, typename Writer, typename Stored>
SPECFAST_INLINE void write_bins(Writer writer, const Stored& stored, int first, int thread) {
  const auto point = [&](int k) -> Complex<T> { return stored[first + Shape::stored_place(k)]; };
  const Complex<T> zero = point(0);
  writer.poison_from(zero.re + zero.im, zero.re - zero.im);
  if (thread == 0) {
    untangle_zero(writer, zero);
    untangle_middle(writer, point(Shape::kPoints / 2));
  }
  for (int k = thread; k < Shape::kPoints / 2; k += Shape::kFrameThreads)
    if (k > 0) untangle(writer, k, point(k), point(Shape::kPoints - k));
}

// A block at work.
template <typename Shape, bool kHasBands, typename T, typename Block>
class FusedBlock {
 public:
  // Odd, so that the same bin of neighbouring frames lies in different memory banks.
  static constexpr int kPowerStride = Shape::kPoints + 1;

  SPECFAST_INLINE FusedBlock(Block& block, const DeviceCall<T>& call)
      : block_(block),
        call_(call),
        plan_(call.plan.tile),
        group_(call, block.index()),
        stored_(block.template shared<Complex<T>>(Shape::kFrames * Shape::kStoredPoints)),
        powers_(block.template shared<T>(kHasBands ? call.plan.group_frames * kPowerStride : 0)) {}

  SPECFAST_INLINE void run() {
    for (int first = 0; first < group_.num_frames; first += Shape::kFrames) transform(first);
    if constexpr (kHasBands) {
      block_.phase([&](int thread, auto& registers) {
        registers.extrema = ThreadExtrema<T>();
        write_levels(call_, group_, powers_, kPowerStride, thread, Shape::kThreads,
                     registers.extrema);
      });
      if (plan_.track_extrema) keep_extrema(block_, call_, block_.index());
    }
  }

 private:
  // The number of a thread among those of its frame, and of the frame among those at once.
  static SPECFAST_INLINE int thread_of(int thread) { return thread % Shape::kFrameThreads; }
  static SPECFAST_INLINE int slot_of(int thread) { return thread / Shape::kFrameThreads; }
  static SPECFAST_INLINE int stored_begin(int thread) {
    return slot_of(thread) * Shape::kStoredPoints;
  }

  // Transforms the frames of the group from `first` on, and makes bins of them.
  SPECFAST_INLINE void transform(int first) {
    block_.phase([&](int thread, auto& registers) {
      read_frame(first + slot_of(thread), thread_of(thread), registers.points);
      apply_pass<Shape, 0>(plan_, thread_of(thread), registers.points);
      store_points<Shape, 0>(thread_of(thread), registers.points, stored_, stored_begin(thread));
    });
    exchange_and_pass<1>();
    if constexpr (Shape::kNumPasses > 2) exchange_and_pass<2>();
    block_.phase([&](int thread, auto&) {
      const int frame = first + slot_of(thread);
      if (frame < group_.num_frames) write_frame(frame, thread);
    });
  }

  template <int kPass>
  SPECFAST_INLINE void exchange_and_pass() {
    block_.phase([&](int thread, auto& registers) {
      load_points<Shape>(thread_of(thread), stored_, stored_begin(thread), registers.points);
      apply_pass<Shape, kPass>(plan_, thread_of(thread), registers.points);
    });
    block_.phase([&](int thread, auto& registers) {
      store_points<Shape, kPass>(thread_of(thread), registers.points, stored_,
                                 stored_begin(thread));
    });
  }

  SPECFAST_INLINE void read_frame(int frame, int thread, Points<Shape, T>& points) {
    if (frame >= group_.num_frames) {
#pragma unroll
      for (int i = 0; i < Shape::kThreadPoints; ++i) points[i] = {T(0), T(0)};
      return;
    }
    read_points<Shape>(plan_, FrameReader<T>(call_, group_, frame), thread, points);
  }

  SPECFAST_INLINE void write_frame(int frame, int thread) {
    const BackendCall& arrays = call_.arrays;
    with_spectrum_operation<kHasBands>(plan_, [&](auto operation) {
      using Op = decltype(operation);
      if constexpr (kHasBands) {
        const PowerWriter<Op, decltype(powers_), T> writer{plan_, powers_, frame * kPowerStride};
        write_bins<Shape, T>(writer, stored_, stored_begin(thread), thread_of(thread));
      } else {
        const OutputWriter<Op, T> writer{plan_, arrays, group_.output_of(arrays, frame)};
        write_bins<Shape, T>(writer, stored_, stored_begin(thread), thread_of(thread));
      }
    });
  }

  Block& block_;
  const DeviceCall<T>& call_;
  const TilePlan<T>& plan_;
  const Group group_;
  decltype(std::declval<Block&>().template shared<Complex<T>>(0)) stored_;
  decltype(std::declval<Block&>().template shared<T>(0)) powers_;
};

// The program of a grid with a block for each group.
template <int kLogPoints, bool kHasBands, typename T>
struct FusedProgram {
  using Shape = TransformShape<kLogPoints>;
  using Arguments = DeviceCall<T>;
  struct Registers {
    Points<Shape, T> points;
    ThreadExtrema<T> extrema;
  };
  // With three blocks at a time the shortest and the longest transform spill registers on some
  // architectures.
  static constexpr bool kSpillsWithThree =
      kLogPoints == kMinLogPoints || kLogPoints == kMaxLogPoints;
  static constexpr int kThreads = Shape::kThreads, kMinBlocks = kSpillsWithThree ? 2 : 3;

  static int64_t shared_bytes(const Arguments& call) {
    SharedBytes bytes;
    bytes.add<Complex<T>>(Shape::kFrames * Shape::kStoredPoints);
    if (kHasBands) bytes.add<T>(call.plan.group_frames * (Shape::kPoints + 1));
    if (kHasBands) bytes.add<ThreadExtrema<T>>(kThreads);
    return bytes.total();
  }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& call) {
    FusedBlock<Shape, kHasBands, T, Block>(block, call).run();
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
