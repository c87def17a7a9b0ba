// SPDX-License-Identifier: BSD-3-Clause
// The spectrum operations: chosen once per phase, they turn bins into what a block writes.
#pragma once

#include "cuda/kernels/memory.inl"
#include "cuda/kernels/plan.h"
#include "kernels/ops/spectrum.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Calls body(operation) for the operation at a place of the list.
template <typename Body, typename... Ops>
SPECFAST_INLINE void with_place(int place, List<Ops...>, const Body& body) {
  int at = 0;
  (void)((at++ == place ? (body(Ops()), true) : false) || ...);
}

// Calls body(operation) for the plan's spectrum operation, of those with a filterbank or without.
template <bool kHasBands, typename T, typename Body>
SPECFAST_INLINE void with_spectrum_operation(const TilePlan<T>& plan, const Body& body) {
  if constexpr (kHasBands) {
    with_place(int(plan.power_law), List<PowerSquare, PowerIdentity, PowerGeneral>(), body);
  } else {
    with_place(int(plan.spectrum_op), List<Real, Imag, Stft, Angle, Magnitude, Log, Psd>(), body);
  }
}

// Returns the row of a bin, complete.
template <typename Op, typename T>
SPECFAST_INLINE Rows<T, kTraitsOf<Op>.rows_per_bin> rows_of_bin(const TilePlan<T>& plan,
                                                                const Bin<T>& bin) {
  auto rows = Op::value(plan, bin);
  if constexpr (Op::kFinishesLater) rows.row[0] = Op::finish_one(plan, rows.row[0]);
  return rows;
}

// Writes the rows of the bins of one frame to the output.
template <typename Op, typename T>
struct OutputWriter {
  const TilePlan<T>& plan;
  const BackendCall& call;
  int64_t frame_place;
  T poison = {};

  SPECFAST_INLINE void poison_from(T dc, T nyquist) { poison = poison_of(dc, nyquist); }

  SPECFAST_INLINE void write(int64_t bin, T re, T im, bool is_edge) const {
    const auto rows = rows_of_bin<Op>(plan, Bin<T>{re, im, is_edge, poison});
    const int64_t place = frame_place + bin * call.out_row_stride;
    put_result(call, place, rows.row[0]);
    if constexpr (kTraitsOf<Op>.rows_per_bin == 2)
      put_result(call, place + plan.num_bins * call.out_row_stride, rows.row[1]);
  }
};

// Keeps the powers of the bins of one frame for the filterbank.
template <typename Op, typename Powers, typename T>
struct PowerWriter {
  const TilePlan<T>& plan;
  Powers& powers;
  int64_t first;
  T poison = {};

  SPECFAST_INLINE void poison_from(T dc, T nyquist) { poison = poison_of(dc, nyquist); }

  SPECFAST_INLINE void write(int64_t bin, T re, T im, bool is_edge) const {
    powers[first + bin] = rows_of_bin<Op>(plan, Bin<T>{re, im, is_edge, poison}).row[0];
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
