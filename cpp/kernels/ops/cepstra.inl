// SPDX-License-Identifier: BSD-3-Clause
// The rows behind the levels: the cosine transform of the levels, the energy of the frame, a gain
// and an offset for each row.
#pragma once

#include "kernels/lanes/lanes.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Writes rows of levels behind each other, each with its gain and offset.
template <typename V>
struct FinishedRows {
  const RowsBehindLevels<Scalar<V>>& behind;
  Scalar<V>* rows;
  int64_t row_stride;

  SPECFAST_INLINE void put(int64_t row, V value) const {
    if (behind.gain) {
      value = madd(value, broadcast<V>(behind.gain[row]), broadcast<V>(behind.offset[row]));
    }
    store_unaligned(rows + row * row_stride, value);
  }
};

// Replaces a level and its mirror image by their sum and their difference: the cosines of even
// coefficients are symmetric, those of odd ones antisymmetric.
template <typename V>
SPECFAST_INLINE void fold_levels(Scalar<V>* levels, int64_t num_bands) {
  for (int64_t band = 0; 2 * band + 1 < num_bands; ++band) {
    Scalar<V>* const low = levels + band * kLanesOf<V>;
    Scalar<V>* const high = levels + (num_bands - 1 - band) * kLanesOf<V>;
    const V sum = load<V>(low) + load<V>(high), difference = load<V>(low) - load<V>(high);
    store(low, sum);
    store(high, difference);
  }
}

// Writes the cepstra from `first` on, a block at a time, so that each level is loaded once for
// several of them. The levels are overwritten.
template <typename V>
SPECFAST_NOINLINE void put_cepstra(const TilePlan<Scalar<V>>& plan, Scalar<V>* levels,
                                   int64_t first, const FinishedRows<V>& to) {
  const RowsBehindLevels<Scalar<V>>& behind = plan.behind_levels;
  const int64_t num_folded = (plan.num_bands + 1) / 2;
  fold_levels<V>(levels, plan.num_bands);
  for (int64_t block = 0; block < behind.num_cepstra; block += kCepstraOfBlock) {
    V sums[kCepstraOfBlock];
    for (V& sum : sums) sum = V{};
    const Scalar<V>* cosines = behind.cosines + block * num_folded;
    for (int64_t band = 0; band < num_folded; ++band, cosines += kCepstraOfBlock) {
      const V even = load<V>(levels + band * kLanesOf<V>);
      const V odd = load<V>(levels + (plan.num_bands - 1 - band) * kLanesOf<V>);
      for (int64_t i = 0; i < kCepstraOfBlock; ++i)
        sums[i] = madd(i % 2 ? odd : even, broadcast<V>(cosines[i]), sums[i]);
    }
    for (int64_t i = 0; i < kCepstraOfBlock; ++i) {
      const int64_t row = block + i;
      if (row >= first && row < behind.num_cepstra) to.put(row, sums[i]);
    }
  }
}

// Turns levels, and the energies behind them if there are any, into the rows of a frame. The levels
// are overwritten.
template <typename V>
SPECFAST_NOINLINE void rows_behind_levels(const TilePlan<Scalar<V>>& plan, Scalar<V>* levels,
                                          Scalar<V>* rows, int64_t row_stride) {
  const RowsBehindLevels<Scalar<V>>& behind = plan.behind_levels;
  const FinishedRows<V> to{behind, rows, row_stride};
  const int64_t first = behind.has_energy ? 1 : 0;
  if (behind.has_energy) to.put(0, load<V>(levels + plan.num_bands * kLanesOf<V>));
  if (behind.num_cepstra > 0) return put_cepstra<V>(plan, levels, first, to);
  for (int64_t band = 0; band < plan.num_bands; ++band)
    to.put(first + band, load<V>(levels + band * kLanesOf<V>));
}

// Turns the gradient of the rows into that of the levels, [num_bands][lanes] and that of the
// energy.
template <typename V>
void level_gradient_of_rows(const TilePlan<Scalar<V>>& plan, const Scalar<V>* rows,
                            Scalar<V>* levels) {
  const RowsBehindLevels<Scalar<V>>& behind = plan.behind_levels;
  const auto row = [&](int64_t index) SPECFAST_INLINE_LAMBDA {
    const V value = load<V>(rows + index * kLanesOf<V>);
    return behind.gain ? value * behind.gain[index] : value;
  };
  const int64_t first = behind.has_energy ? 1 : 0, num_folded = (plan.num_bands + 1) / 2;
  store(levels + plan.num_bands * kLanesOf<V>, first ? row(0) : V{});
  for (int64_t band = 0; band < plan.num_bands; ++band) {
    V sum = behind.num_cepstra > 0 ? V{} : row(first + band);
    const bool is_mirrored = 2 * band + 1 > plan.num_bands;
    const int64_t folded = is_mirrored ? plan.num_bands - 1 - band : band;
    for (int64_t i = first; i < behind.num_cepstra; ++i) {
      const Scalar<V> cosine =
          behind.cosines[(i / kCepstraOfBlock * num_folded + folded) * kCepstraOfBlock +
                         i % kCepstraOfBlock];
      sum = madd(row(i), broadcast<V>(is_mirrored && i % 2 ? -cosine : cosine), sum);
    }
    store(levels + band * kLanesOf<V>, sum);
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
