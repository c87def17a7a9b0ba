// SPDX-License-Identifier: BSD-3-Clause
// Per-channel energy normalisation: energies divided by a power of their smoothed past, and
// compressed (Y. Wang et al., Trainable Frontend For Robust and Far-Field Keyword Spotting, 2017).
#pragma once

#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename V>
SPECFAST_INLINE V smooth(const PcenPlan<Scalar<V>>& plan, V energy, V smoothed) {
  return plan.smoothing * energy + plan.keeping * smoothed;
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

// Reads the first `count` lanes from values that lie `step` apart; the others are 0.
template <typename V>
SPECFAST_INLINE V load_apart(const Scalar<V>* from, int64_t step, int count) {
  constexpr int kLanes = kLanesOf<V>;
  if (step == 1 && count == kLanes) return load_unaligned<V>(from);
  V values{};
  if (count == kLanes) {
    for (int i = 0; i < kLanes; ++i) values[i] = from[i * step];
  } else {
    for (int i = 0; i < count; ++i) values[i] = from[i * step];
  }
  return values;
}

template <typename V>
SPECFAST_INLINE void store_apart(Scalar<V>* to, int64_t step, int count, V values) {
  constexpr int kLanes = kLanesOf<V>;
  if (step == 1 && count == kLanes) {
    store_unaligned(to, values);
  } else if (count == kLanes) {
    for (int i = 0; i < kLanes; ++i) to[i * step] = values[i];
  } else {
    for (int i = 0; i < count; ++i) to[i * step] = values[i];
  }
}

// Smooths rows in lanes, because each frame of a row waits for the one before it. Calls
// body(values, count, energy, smoothed) for each frame of `count` rows, which begin at `values`.
template <typename T, typename Body>
SPECFAST_INLINE void for_each_smoothed(T* values, int64_t num_frames, int64_t num_rows,
                                       int64_t frame_stride, int64_t row_stride,
                                       const PcenPlan<std::remove_const_t<T>>& plan,
                                       std::remove_const_t<T>* smoothed, const Body& body) {
  constexpr int kLanes = SPECFAST_VECTOR_BYTES / 8;
  using V = Vec<std::remove_const_t<T>, kLanes>;
  for (int64_t row = 0; row < num_rows; row += kLanes) {
    const int count = int(num_rows - row < kLanes ? num_rows - row : kLanes);
    V past = load_apart<V>(smoothed + row, 1, count);
    for (int64_t frame = 0; frame < num_frames; ++frame) {
      T* const at = values + frame * frame_stride + row * row_stride;
      const V energy = load_apart<V>(at, row_stride, count);
      past = smooth(plan, energy, past);
      body(at, count, energy, past);
    }
    store_apart(smoothed + row, 1, count, past);
  }
}

template <typename T>
void advance_pcen(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                  int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  for_each_smoothed(values, num_frames, num_rows, frame_stride, row_stride, plan, smoothed,
                    [](const T*, int, auto, auto) {});
}

template <typename T>
void apply_pcen(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, const PcenPlan<T>& plan, T* smoothed) {
  for_each_smoothed(values, num_frames, num_rows, frame_stride, row_stride, plan, smoothed,
                    [&](T* at, int count, auto energy, auto past) {
                      store_apart(at, row_stride, count, normalized(plan, energy, past));
                    });
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
