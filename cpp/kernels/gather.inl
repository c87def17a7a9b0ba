// SPDX-License-Identifier: BSD-3-Clause
// The hop matrix of one tile: filled from samples; added to, and copied from, on the way back.
//
// Overlapping frames share their samples: each hop is transposed once, whatever the overlap, and
// frame f of the tile finds its sample q*hop + r at row r, column f + q.
#pragma once

#include "kernels/lanes/simd.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Fills columns [column, column + lanes of V) from hops that start at `samples`, `hop_stride`
// apart.
template <typename V>
SPECFAST_INLINE void fill_hop_columns(const TilePlan<Scalar<V>>& plan, const Scalar<V>* samples,
                                      int64_t hop_stride, int64_t column, Scalar<V>* hops) {
  using T = Scalar<V>;
  constexpr int kSide = kGroup<T>;
  T* target = hops + column;
  const int64_t whole_rows = plan.hop_rows - plan.hop_rows % kSide;
  for (int64_t row = 0; row < whole_rows; row += kSide) {
    V block[kSide];
    for (int i = 0; i < kSide; ++i)
      block[i] = load_groups<V>(samples + i * hop_stride + row, hop_stride);
    transpose_groups<V>(block);
    for (int i = 0; i < kSide; ++i)
      store_unaligned(target + (row + i) * plan.hop_columns, block[i]);
  }
  for (int64_t row = whole_rows; row < plan.hop_rows; ++row) {
    for (int i = 0; i < kLanesOf<V>; ++i)
      target[row * plan.hop_columns + i] = samples[i * hop_stride + row];
  }
}

// Fills columns [begin, end), which are whole groups.
template <typename V>
void fill_hop_range(const TilePlan<Scalar<V>>& plan, const Scalar<V>* samples, int64_t hop_stride,
                    int64_t begin, int64_t end, Scalar<V>* hops) {
  constexpr int64_t kWide = kLanesOf<V>, kNarrow = kGroup<Scalar<V>>;
  int64_t column = begin;
  for (; column + kWide <= end; column += kWide)
    fill_hop_columns<V>(plan, samples + (column - begin) * hop_stride, hop_stride, column, hops);
  for (; column < end; column += kNarrow) {
    fill_hop_columns<Group<Scalar<V>>>(plan, samples + (column - begin) * hop_stride, hop_stride,
                                       column, hops);
  }
}

// Fills all columns, from the samples in place and, at the ends, from the staged copy.
template <typename V>
void fill_hop_matrix(const TilePlan<Scalar<V>>& plan, const TileArgs<Scalar<V>>& args,
                     Scalar<V>* hops) {
  const int64_t front = args.staged_front, back = plan.hop_columns - args.staged_back;
  const int64_t rows = plan.hop_rows;
  if (front > 0) fill_hop_range<V>(plan, args.staging, rows, 0, front, hops);
  if (front < back) fill_hop_range<V>(plan, args.samples, args.hop_stride, front, back, hops);
  if (args.staged_back > 0)
    fill_hop_range<V>(plan, args.staging + back * rows, rows, back, plan.hop_columns, hops);
}

// Adds a value to the place in the hop matrix from which sample n of the frames was read. Called
// for the samples in order, so that each place sums its frames from the last to the first.
template <typename V>
SPECFAST_INLINE void add_sample(const TilePlan<Scalar<V>>& plan, int64_t n, int64_t lane, V value,
                                Scalar<V>* hops) {
  Scalar<V>* const at = hops + plan.sample_offset[n] + lane;
  store_unaligned(at, load_unaligned<V>(at) + value);
}

// Copies `count` columns of the hop matrix from `column` on to hops in order, `hop_stride` apart.
template <typename T>
void store_hop_columns(const TilePlan<T>& plan, const T* hops, int64_t column, int64_t count, T* to,
                       int64_t hop_stride) {
  const int64_t whole = plan.hop_rows - plan.hop_rows % kGroup<T>;
  const T* const from = hops + column;
  copy_transposed(from, plan.hop_columns, whole, count, to, hop_stride);
  for (int64_t row = whole; row < plan.hop_rows; ++row) {
    for (int64_t hop = 0; hop < count; ++hop)
      to[hop * hop_stride + row] = from[row * plan.hop_columns + hop];
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
