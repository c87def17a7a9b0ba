// SPDX-License-Identifier: BSD-3-Clause
// The product of frames and trained weights, which takes the place of window and transform.
#pragma once

#include "kernels/gather.inl"
#include "kernels/ops/rows.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// How many kernel rows are summed together: with two vectors of frames each, as many as registers
// hold. The number is even, for pairs of a real and an imaginary row.
#if defined(__AVX512F__) || defined(SPECFAST_ISA_NEON)
constexpr int kProductRows = 12;
#elif defined(__AVX2__)
constexpr int kProductRows = 6;
#else
constexpr int kProductRows = 4;
#endif

// How many kernel rows, columns of their gradient, are summed together: two vectors.
template <typename T>
constexpr int64_t kOuterColumns = 2 * kLanesOf<Widest<T>>;

// Sets sums[i][v] to the sum over j < count of weights[j * stride + i] * vector v at row_of(j).
//
// Every weight is spread to a vector once and used kVectors times. The sums are cut into pieces of
// kPiece, whose results are added: errors grow with the square root of the piece, and the order
// does not depend on the width.
template <int kVectors, typename V, typename RowOf>
SPECFAST_INLINE void multiply_rows(const Scalar<V>* weights, int64_t stride, int64_t count,
                                   const RowOf& row_of, V (&sums)[kProductRows][kVectors]) {
  constexpr int64_t kPiece = 128;
  for (auto& row : sums) {
    for (V& sum : row) sum = V{};
  }
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t end = begin + kPiece < count ? begin + kPiece : count;
    V partial[kProductRows][kVectors] = {};
    for (int64_t j = begin; j < end; ++j) {
      const Scalar<V>* const row = row_of(j);
      const Scalar<V>* const weights_of_row = weights + j * stride;
      V x[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        x[v] = in_register(load_unaligned<V>(row + v * kLanesOf<V>));
#pragma GCC unroll 16
      for (int i = 0; i < kProductRows; ++i) {
        const V wide = in_register(broadcast<V>(weights_of_row[i]));
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) partial[i][v] = madd(wide, x[v], partial[i][v]);
      }
    }
    for (int i = 0; i < kProductRows; ++i) {
      for (int v = 0; v < kVectors; ++v) sums[i][v] = sums[i][v] + partial[i][v];
    }
  }
}

// Writes the output rows of a tile of kVectors vectors of frames from its hop matrix.
template <typename Op, int kVectors, typename V>
void rows_from_product(const TilePlan<Scalar<V>>& plan, const Scalar<V>* hops, Scalar<V>* rows,
                       int64_t row_stride) {
  constexpr bool kOneKernel = !kTraitsOf<Op>.has_real_kernel || !kTraitsOf<Op>.has_imag_kernel;
  constexpr int kBins = kOneKernel ? kProductRows : kProductRows / 2;
  const Scalar<V>* weights = plan.trained_weights;
  for (int64_t first = 0; first < plan.num_bins; first += kBins) {
    V sums[kProductRows][kVectors];
    multiply_rows<kVectors>(
        weights, kProductRows, plan.frame_length,
        [&plan, hops](int64_t n) { return hops + plan.sample_offset[n]; }, sums);
    weights += plan.frame_length * kProductRows;
    const int64_t num_bins = plan.num_bins - first < kBins ? plan.num_bins - first : kBins;
    for (int v = 0; v < kVectors; ++v) {
      const RowWriter<Op, V> writer{plan, rows + v * kLanesOf<V>, row_stride};
      for (int64_t i = 0; i < num_bins; ++i) {
        const V re = kOneKernel ? sums[i][v] : sums[2 * i][v];
        const V im = kOneKernel ? sums[i][v] : sums[2 * i + 1][v];
        const int64_t bin = first + i;
        writer.write(bin, re, im, bin == 0 || bin == plan.num_bins - 1);
      }
    }
  }
}

// Writes the same rows from a spectrum in planes.
template <typename Op, int kVectors, typename V>
void rows_from_planes(const TilePlan<Scalar<V>>& plan, const Scalar<V>* planes, Scalar<V>* rows,
                      int64_t row_stride) {
  constexpr int64_t kTileLanes = kLanesOf<V> * kVectors;
  for (int v = 0; v < kVectors; ++v) {
    const RowWriter<Op, V> writer{plan, rows + v * kLanesOf<V>, row_stride};
    for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
      const Scalar<V>* const at = planes + bin * kTileLanes + v * kLanesOf<V>;
      writer.write(bin, load_unaligned<V>(at), load_unaligned<V>(at + plan.num_bins * kTileLanes),
                   bin == 0 || bin == plan.num_bins - 1);
    }
  }
}

// The functions by operation; null for those with a filterbank, which have no kernels.
template <int kVectors, typename V>
struct RowsFromProduct {
  using Function = WriteRows<V>;

  template <typename Op>
  static constexpr Function of() {
    if constexpr (kTraitsOf<Op>.has_filterbank) {
      return nullptr;
    } else {
      return rows_from_product<Op, kVectors, V>;
    }
  }
};

// The functions by operation; null for the linear ones too, whose spectra are not kept.
template <int kVectors, typename V>
struct RowsFromPlanes {
  using Function = WriteRows<V>;

  template <typename Op>
  static constexpr Function of() {
    if constexpr (kTraitsOf<Op>.is_linear || kTraitsOf<Op>.has_filterbank) {
      return nullptr;
    } else {
      return rows_from_planes<Op, kVectors, V>;
    }
  }
};

// Runs the adjoint of the product, which is the product with the transposed weights.
template <int kVectors, typename V>
void add_by_product(const TilePlan<Scalar<V>>& plan, const Scalar<V>* transposed,
                    const Scalar<V>* spectrum, Scalar<V>* hops) {
  constexpr int64_t kTileLanes = kLanesOf<V> * kVectors;
  const SpectrumOpTraits& traits = kSpectrumOps[int(plan.spectrum_op)];
  const int64_t num_rows = plan.num_bins * (traits.has_real_kernel + traits.has_imag_kernel);
  for (int64_t first = 0; first < plan.frame_length; first += kProductRows) {
    V sums[kProductRows][kVectors];
    multiply_rows<kVectors>(
        transposed + first * num_rows, kProductRows, num_rows,
        [spectrum](int64_t row) { return spectrum + row * kTileLanes; }, sums);
    for (int64_t i = 0; i < kProductRows && first + i < plan.frame_length; ++i) {
      for (int v = 0; v < kVectors; ++v)
        add_sample<V>(plan, first + i, v * kLanesOf<V>, sums[i][v], hops);
    }
  }
}

// Adds, to sums[n * kOuterColumns + c], the sum over frames f of sample n of frame f times
// spectrum[f * kOuterColumns + c].
template <typename T>
void add_outer(const T* samples, int64_t hop_stride, int64_t frame_length, const T* spectrum,
               int64_t num_frames, T* sums) {
  using V = Widest<T>;
  for (int64_t first = 0; first < frame_length; first += kProductRows) {
    V block[kProductRows][2];
    multiply_rows<2>(
        samples + first, hop_stride, num_frames,
        [spectrum](int64_t frame) { return spectrum + frame * kOuterColumns<T>; }, block);
    for (int64_t i = 0; i < kProductRows && first + i < frame_length; ++i) {
      for (int v = 0; v < 2; ++v) {
        T* const at = sums + (first + i) * kOuterColumns<T> + v * kLanesOf<V>;
        store_unaligned(at, load_unaligned<V>(at) + block[i][v]);
      }
    }
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
