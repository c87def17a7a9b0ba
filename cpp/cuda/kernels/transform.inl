// SPDX-License-Identifier: BSD-3-Clause
// The complex transform of a frame, shared by some threads of a block: a thread keeps n points in
// registers, and between two passes they change hands in shared memory.
//
// With m points and t = m / n threads, register i of thread j holds point j + i t. A pass of radix
// r joins registers b + q n/r, q = 0 .. r - 1, into butterfly b, which is number j + b t of m / r:
// the passes are those of Stockham's scheme, whose output is in order.
#pragma once

#include "cuda/kernels/memory.inl"
#include "kernels/transform/butterfly.inl"

namespace SPECFAST_NAMESPACE {
namespace {

constexpr int kMinLogPoints = 5, kMaxLogPoints = 11;

// The sizes of a transform of 2^kLog points.
template <int kLog>
struct TransformShape {
  static_assert(kLog >= kMinLogPoints && kLog <= kMaxLogPoints);
  static constexpr int kLogPoints = kLog;
  static constexpr int kPoints = 1 << kLogPoints;
  static constexpr int kLogThreadPoints = 4;
  static constexpr int kThreadPoints = 1 << kLogThreadPoints;
  // Threads that share a frame, and frames that a block transforms at once.
  static constexpr int kFrameThreads = kPoints / kThreadPoints;
  static constexpr int kThreads = 128;
  static constexpr int kFrames = kThreads / kFrameThreads;
  // One place in seventeen is left free, so that strides of powers of two meet all memory banks.
  static SPECFAST_HOST_DEVICE constexpr int stored_place(int point) { return point + point / 16; }
  static constexpr int kStoredPoints = kPoints + kPoints / 16;

  // All passes but the last have the largest radix.
  static constexpr int kNumPasses = (kLogPoints + kLogThreadPoints - 1) / kLogThreadPoints;
  static SPECFAST_HOST_DEVICE constexpr int radix(int pass) {
    return pass < kNumPasses - 1 ? kThreadPoints : kPoints / length(pass);
  }
  // The product of the radices of the passes before.
  static SPECFAST_HOST_DEVICE constexpr int length(int pass) {
    return 1 << (pass * kLogThreadPoints);
  }
};

template <typename Shape, typename T>
using Points = Complex<T>[Shape::kThreadPoints];

// Transforms 16 points as four times four.
template <int kUsed, typename V>
struct Butterfly<16, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[16]) {
    constexpr double kCos[] = {1,
                               0.923879532511286756128183189396788933,
                               0.707106781186547524400844362104849039,
                               0.382683432365089771728459984030398866,
                               0,
                               -0.382683432365089771728459984030398866,
                               -0.707106781186547524400844362104849039,
                               -0.923879532511286756128183189396788933,
                               -1,
                               -0.923879532511286756128183189396788933};
    constexpr double kMinusSin[] = {0,
                                    -0.382683432365089771728459984030398866,
                                    -0.707106781186547524400844362104849039,
                                    -0.923879532511286756128183189396788933,
                                    -1,
                                    -0.923879532511286756128183189396788933,
                                    -0.707106781186547524400844362104849039,
                                    -0.382683432365089771728459984030398866,
                                    0,
                                    0.382683432365089771728459984030398866};
    Complex<V> columns[4][4];
#pragma unroll
    for (int n = 0; n < 4; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) columns[n][i] = a[n + 4 * i];
      Butterfly<4, 4, V>::apply(columns[n]);
#pragma unroll
      for (int k = 1; k < 4; ++k)
        if (n > 0) columns[n][k] = times(columns[n][k], V(kCos[n * k]), V(kMinusSin[n * k]));
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      Complex<V> row[4] = {columns[0][k], columns[1][k], columns[2][k], columns[3][k]};
      Butterfly<4, 4, V>::apply(row);
#pragma unroll
      for (int i = 0; i < 4; ++i) a[k + 4 * i] = row[i];
    }
  }
};

// Turns and joins the points of a thread: pass `kPass` of the transform, in registers.
template <typename Shape, int kPass, typename T>
SPECFAST_INLINE void apply_pass(const TilePlan<T>& plan, int thread, Points<Shape, T>& points) {
  constexpr int kRadix = Shape::radix(kPass), kLength = Shape::length(kPass);
  constexpr int kButterflies = Shape::kThreadPoints / kRadix;
  const T* const twiddles = plan.passes[kPass].twiddles;
#pragma unroll
  for (int b = 0; b < kButterflies; ++b) {
    const int k = (thread + b * Shape::kFrameThreads) % kLength;
    Complex<T> a[kRadix];
#pragma unroll
    for (int q = 0; q < kRadix; ++q) {
      a[q] = points[b + q * kButterflies];
      if (kPass > 0 && q > 0) {
        const Complex<T> factor = load_pair(twiddles + 2 * ((q - 1) * kLength + k));
        a[q] = times(a[q], factor.re, factor.im);
      }
    }
    Butterfly<kRadix, kRadix, T>::apply(a);
#pragma unroll
    for (int q = 0; q < kRadix; ++q) points[b + q * kButterflies] = a[q];
  }
}

// Leaves the points after a pass in their places, from `first` on.
template <typename Shape, int kPass, typename Stored, typename T>
SPECFAST_INLINE void store_points(int thread, const Points<Shape, T>& points, Stored& stored,
                                  int first) {
  constexpr int kRadix = Shape::radix(kPass), kLength = Shape::length(kPass);
  constexpr int kButterflies = Shape::kThreadPoints / kRadix;
#pragma unroll
  for (int b = 0; b < kButterflies; ++b) {
    const int j = thread + b * Shape::kFrameThreads, k = j % kLength;
#pragma unroll
    for (int q = 0; q < kRadix; ++q) {
      const int point = (j - k) * kRadix + k + q * kLength;
      stored[first + Shape::stored_place(point)] = points[b + q * kButterflies];
    }
  }
}

template <typename Shape, typename Stored, typename T>
SPECFAST_INLINE void load_points(int thread, const Stored& stored, int first,
                                 Points<Shape, T>& points) {
#pragma unroll
  for (int i = 0; i < Shape::kThreadPoints; ++i)
    points[i] = stored[first + Shape::stored_place(thread + i * Shape::kFrameThreads)];
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
