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
  return convert_to<V>(exponential(log_in<NaturalUnits>(sum) * plan.power) - plan.bias_to_power);
}

template <typename T>
void advance_pcen(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                  int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  for (int64_t f = 0; f < num_frames; ++f) {
    const T* const frame = values + f * frame_stride;
    for (int64_t row = 0; row < num_rows; ++row) smooth(plan, frame[row * row_stride], smoothed[row]);
  }
}

template <typename T>
void apply_pcen(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  constexpr int kLanes = SPECFAST_VECTOR_BYTES / 8;
  using V = Vec<T, kLanes>;
  for (int64_t f = 0; f < num_frames; ++f) {
    T* const frame = values + f * frame_stride;
    for (int64_t row = 0; row < num_rows; row += kLanes) {
      const int64_t count = num_rows - row < kLanes ? num_rows - row : kLanes;
      V energy = broadcast<V>(T(1)), past = energy;
      T* const at = frame + row * row_stride;
      for (int64_t i = 0; i < count; ++i) {
        smooth(plan, at[i * row_stride], smoothed[row + i]);
        energy[i] = at[i * row_stride];
        past[i] = smoothed[row + i];
      }
      const V result = normalized<V>(plan, energy, past);
      for (int64_t i = 0; i < count; ++i) at[i * row_stride] = result[i];
    }
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
