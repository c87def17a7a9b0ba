// SPDX-License-Identifier: BSD-3-Clause
// Turns the transform of a tile into its output rows: the last pass, the untangling of the
// half-length transform and the spectrum operation follow each other in registers.
#pragma once

#include "kernels/ops/rows.inl"
#include "kernels/transform/mirror.inl"
#include "kernels/transform/rfft.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// The last pass of the own transform, always of radix 4, is done here: its block number k yields
// the points k + q N/8, and their mirror images come from block N/8 - k, so that a pair of blocks
// goes from before the last pass to output rows in registers.
template <typename Op, typename V>
void rows_from_own_transform(const TilePlan<Scalar<V>>& plan, const Scalar<V>* z, Scalar<V>* rows,
                             int64_t row_stride) {
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  RowWriter<Op, V> writer{plan, rows, row_stride};
  const int64_t num_blocks = plan.dft_length / 8;
  const auto transform_block = [&plan, z](int64_t k, Complex<V>(&a)[4]) SPECFAST_INLINE_LAMBDA {
    const Scalar<V>* const at = in_one_register(z + plan.bin_place[k] * kStep);
    for (int q = 0; q < 4; ++q) {
      a[q] = {in_register(load<V>(at + q * kStep)),
              in_register(load<V>(at + q * kStep + kStep / 2))};
    }
    Butterfly<4, 4, V>::apply(a);
  };
  Complex<V> a[4], b[4];
  transform_block(0, a);
  untangle_zero(writer, a[0]);
  untangle(writer, num_blocks, a[1], a[3]);
  untangle_middle(writer, a[2]);
  for (int64_t k = 1; 2 * k < num_blocks; ++k) {
    transform_block(k, a);
    transform_block(num_blocks - k, b);
    untangle(writer, k, a[0], b[3]);
    untangle(writer, k + num_blocks, a[1], b[2]);
    untangle(writer, num_blocks - k, b[0], a[3]);
    untangle(writer, 2 * num_blocks - k, b[1], a[2]);
  }
  if (num_blocks % 2 == 0) {
    transform_block(num_blocks / 2, a);
    untangle(writer, num_blocks / 2, a[0], a[3]);
    untangle(writer, num_blocks / 2 + num_blocks, a[1], a[2]);
  }
}

// Does the same from pocketfft's half-complex order.
template <typename Op, typename V>
void rows_from_fallback(const TilePlan<Scalar<V>>& plan, const Scalar<V>* spectrum, Scalar<V>* rows,
                        int64_t row_stride) {
  constexpr int64_t kStep = kLanesOf<V>;
  RowWriter<Op, V> writer{plan, rows, row_stride};
  const V dc = load<V>(spectrum);
  const bool has_nyquist = plan.dft_length % 2 == 0;
  writer.poison_from(dc, has_nyquist ? load<V>(spectrum + (plan.dft_length - 1) * kStep) : dc);
  writer.write(0, dc, V{}, true);
  for (int64_t k = 1; 2 * k < plan.dft_length; ++k) {
    writer.write(k, load<V>(spectrum + (2 * k - 1) * kStep), load<V>(spectrum + 2 * k * kStep),
                 false);
  }
  if (has_nyquist) {
    writer.write(plan.dft_length / 2, load<V>(spectrum + (plan.dft_length - 1) * kStep), V{}, true);
  }
}

// The functions by operation, for plans with an own transform and for those without.
template <typename V>
struct RowsFromOwnTransform {
  using Function = WriteRows<V>;

  template <typename Op>
  static constexpr Function of() {
    return rows_from_own_transform<Op, V>;
  }
};
template <typename V>
struct RowsFromFallback {
  using Function = WriteRows<V>;

  template <typename Op>
  static constexpr Function of() {
    return rows_from_fallback<Op, V>;
  }
};

template <typename V>
SPECFAST_INLINE WriteRows<V> rows_function(const TilePlan<Scalar<V>>& plan) {
  return plan.num_passes > 0 ? function_of_operation<RowsFromOwnTransform<V>>(plan)
                             : function_of_operation<RowsFromFallback<V>>(plan);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
