// SPDX-License-Identifier: BSD-3-Clause
// Per-channel energy normalisation: energies divided by a power of their smoothed past, and
// compressed (Y. Wang et al., Trainable Frontend For Robust and Far-Field Keyword Spotting, 2017).
#pragma once

#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T>
SPECFAST_INLINE void smooth(const PcenPlan<T>& plan, T energy, T& smoothed) {
  smoothed = plan.smoothing * energy + plan.keeping * smoothed;
}

// Returns the results for energies and what they are smoothed to. Everything runs in double: the
// difference of two powers of about the same size would leave few digits of a float.
template <typename V>
SPECFAST_INLINE V normalized(const PcenPlan<Scalar<V>>& plan, V energy, V smoothed) {
  using Full = Vec<double, kLanesOf<V>>;
  const Full past = convert_to<Full>(smoothed + plan.epsilon);
  const Full divisor = exponential(log_in<NaturalUnits>(past) * -plan.gain);
  const Full sum = convert_to<Full>(energy) * divisor + plan.bias;
  const Full power =
      plan.power == 0.5 ? square_root(sum) : exponential(log_in<NaturalUnits>(sum) * plan.power);
  return convert_to<V>(power - plan.bias_to_power);
}

// Calls body(values, step, count, row, row_step) for runs of up to kCount values that lie `step`
// apart: frames of a row where these are neighbours, else rows of a frame. The first value is of
// row `row`, and each one of a row that is `row_step` further.
template <int kCount, typename T, typename Body>
SPECFAST_INLINE void for_each_run(T* values, int64_t num_frames, int64_t num_rows,
                                  int64_t frame_stride, int64_t row_stride, const Body& body) {
  const bool by_row = frame_stride == 1;
  const int64_t num_lines = by_row ? num_rows : num_frames;
  const int64_t length = by_row ? num_frames : num_rows;
  for (int64_t line = 0; line < num_lines; ++line) {
    T* const at = values + line * (by_row ? row_stride : frame_stride);
    for (int64_t i = 0; i < length; i += kCount) {
      const int count = int(length - i < kCount ? length - i : kCount);
      body(at + i * (by_row ? 1 : row_stride), by_row ? 1 : row_stride, count, by_row ? line : i,
           by_row ? 0 : 1);
    }
  }
}

template <typename T>
void advance_pcen(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                  int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  for_each_run<1024>(values, num_frames, num_rows, frame_stride, row_stride,
                     [&](const T* at, int64_t step, int count, int64_t row, int row_step) {
                       for (int i = 0; i < count; ++i)
                         smooth(plan, at[i * step], smoothed[row + i * row_step]);
                     });
}

template <typename T>
void apply_pcen(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  constexpr int kLanes = SPECFAST_VECTOR_BYTES / 8, kCount = 8 * kLanes;
  using V = Vec<T, kLanes>;
  for_each_run<kCount>(values, num_frames, num_rows, frame_stride, row_stride,
                       [&](T* at, int64_t step, int count, int64_t row, int row_step) {
                         T energy[kCount] = {}, past[kCount] = {};
                         for (int i = 0; i < count; ++i) {
                           T& own = smoothed[row + i * row_step];
                           energy[i] = at[i * step];
                           smooth(plan, energy[i], own);
                           past[i] = own;
                         }
                         for (int i = 0; i < count; i += kLanes) {
                           store_unaligned(energy + i,
                                           normalized<V>(plan, load_unaligned<V>(energy + i),
                                                         load_unaligned<V>(past + i)));
                         }
                         for (int i = 0; i < count; ++i) at[i * step] = energy[i];
                       });
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
