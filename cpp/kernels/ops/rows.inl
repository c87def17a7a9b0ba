// SPDX-License-Identifier: BSD-3-Clause
// The functions that apply a spectrum operation to the rows of a tile, chosen by the plan.
#pragma once

#include "kernels/ops/spectrum.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Holds the first place in the list of each operation of the seam.
struct OperationPlaces {
  int first[kNumSpectrumOps] = {};

  template <typename... Ops>
  explicit constexpr OperationPlaces(List<Ops...>) {
    int place = int(sizeof...(Ops));
    constexpr SpectrumOp kListed[] = {Ops::kOp...};
    while (place-- > 0) first[int(kListed[place])] = place;
  }
};

// Returns the function that Table::of<Op>() names for the plan's operation.
template <typename Table, typename T>
SPECFAST_INLINE auto function_of_operation(const TilePlan<T>& plan) {
  constexpr SpectrumOperations kOperations;
  static constexpr OperationPlaces kPlaces(kOperations);
  const int place = kPlaces.first[int(plan.spectrum_op)] + int(plan.power_law);
  return function_at<Table>(place, kOperations);
}

// ---- Functions by operation ---------------------------------------------------------------------

// Writes the rows of one bin.
template <typename Op, typename V>
struct RowWriter {
  using T = Scalar<V>;
  static constexpr int kRows = kTraitsOf<Op>.rows_per_bin;

  const TilePlan<T>& plan;
  T* rows;
  int64_t row_stride;
  V poison = {};

  SPECFAST_INLINE void poison_from(V dc, V nyquist) { poison = poison_of(dc, nyquist); }

  SPECFAST_INLINE void write(int64_t bin, V re, V im, bool is_edge) const {
    const Rows<V, kRows> values = Op::value(plan, Bin<V>{re, im, is_edge, poison});
    T* row = rows + bin * row_stride;
    store_unaligned(row, values.row[0]);
    if constexpr (kRows == 2) store_unaligned(row + plan.num_bins * row_stride, values.row[1]);
  }
};

// A function that writes the output rows of a tile from its spectrum, or from what stands for it.
template <typename V>
using WriteRows = void (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* spectrum, Scalar<V>* rows,
                           int64_t row_stride);

// A function that completes the rows of an operation, in place.
template <typename V>
using FinishRows = void (*)(const TilePlan<Scalar<V>>&, Scalar<V>* rows, int64_t row_stride);

// The functions by operation; null where the rows are complete already.
template <typename V>
struct FinishFunctions {
  using Function = FinishRows<V>;

  template <typename Op>
  static constexpr Function of() {
    if constexpr (Op::kFinishesLater) {
      return Op::template finish<V>;
    } else {
      return nullptr;
    }
  }
};

// Turns the spectrum in planes into its gradient; `rows` is that of the output rows.
template <typename Op, typename V>
void spectrum_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* rows, int64_t lanes,
                       Scalar<V>* spectrum) {
  Scalar<V>* const imag = spectrum + plan.num_bins * lanes;
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
    const bool is_edge = bin == 0 || 2 * bin == plan.dft_length;
    for (int64_t at = bin * lanes; at < (bin + 1) * lanes; at += kLanesOf<V>) {
      const Bin<V> values{load<V>(spectrum + at), load<V>(imag + at), is_edge};
      const Complex<V> gradient = Op::gradient(plan, load<V>(rows + at), values);
      store(spectrum + at, gradient.re);
      store(imag + at, gradient.im);
    }
  }
}

// The gradients by operation; null for the linear ones and those with a filterbank.
template <typename V>
struct SpectrumGradients {
  using Function = void (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* rows, int64_t lanes,
                            Scalar<V>* spectrum);

  template <typename Op>
  static constexpr Function of() {
    if constexpr (kTraitsOf<Op>.is_linear || kTraitsOf<Op>.has_filterbank) {
      return nullptr;
    } else {
      return spectrum_gradient<Op, V>;
    }
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
