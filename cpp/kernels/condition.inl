// SPDX-License-Identifier: BSD-3-Clause
// Conditions the frames of a tile before they are windowed: the mean is subtracted, the energy
// taken, preemphasis applied. The results are rows of lanes, one for each sample of a frame, and a
// row of zeros behind them.
#pragma once

#include "kernels/lanes/math.inl"
#include "kernels/workspace.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Returns how many values the rows of a tile take up.
template <typename T>
int64_t conditioned_size(const TilePlan<T>& plan, int64_t lanes) {
  return plan.conditioning.is_used ? aligned_count<T>((plan.frame_length + 1) * lanes) : 0;
}

// Returns the mean of the samples of each frame. Four sums share them, because a single chain of
// additions would wait for itself.
template <typename V>
SPECFAST_INLINE V frame_mean(const TilePlan<Scalar<V>>& plan, const Scalar<V>* hops) {
  const Conditioning<Scalar<V>>& conditioning = plan.conditioning;
  V sums[4] = {V{}, V{}, V{}, V{}};
  int64_t n = 0;
  for (; n + 4 <= plan.frame_length; n += 4) {
    for (int i = 0; i < 4; ++i)
      sums[i] = sums[i] + load_unaligned<V>(hops + conditioning.hop_offset[n + i]);
  }
  for (; n < plan.frame_length; ++n)
    sums[0] = sums[0] + load_unaligned<V>(hops + conditioning.hop_offset[n]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) * conditioning.inverse_length;
}

// Returns the natural logarithm of the energies of frames, floored.
template <typename V>
SPECFAST_INLINE V energy_level(const Conditioning<Scalar<V>>& conditioning, V energy) {
  const V scaled = energy * conditioning.energy_gain;
  return log_in<NaturalUnits>(at_least(scaled, broadcast<V>(conditioning.energy_floor)));
}

// Writes the conditioned samples, and returns the energies of the samples without their mean, which
// go to `centered` too unless that is null.
template <bool kWithEnergy, typename V>
SPECFAST_NOINLINE V write_conditioned(const TilePlan<Scalar<V>>& plan, const Scalar<V>* hops,
                                      Scalar<V>* rows, Scalar<V>* centered = nullptr) {
  const Conditioning<Scalar<V>>& conditioning = plan.conditioning;
  const uint32_t* const offset = conditioning.hop_offset;
  const V mean = conditioning.removes_mean ? frame_mean<V>(plan, hops) : V{};
  const V coefficient = broadcast<V>(conditioning.coefficient);
  V previous = load_unaligned<V>(hops + offset[0]) - mean;
  V energies[2] = {V{}, V{}};
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const V sample = load_unaligned<V>(hops + offset[n]) - mean;
    if constexpr (kWithEnergy) energies[n % 2] = madd(sample, sample, energies[n % 2]);
    if (centered) store(centered + n * kLanesOf<V>, sample);
    store(rows + n * kLanesOf<V>, nmadd(coefficient, previous, sample));
    previous = sample;
  }
  store(rows + plan.frame_length * kLanesOf<V>, V{});
  return energies[0] + energies[1];
}

// Returns the energies of the conditioned samples under the window.
template <typename V>
SPECFAST_NOINLINE V windowed_energy(const TilePlan<Scalar<V>>& plan, const Scalar<V>* rows) {
  V energies[2] = {V{}, V{}};
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const V sample = load<V>(rows + n * kLanesOf<V>) * plan.window[n];
    energies[n % 2] = madd(sample, sample, energies[n % 2]);
  }
  return energies[0] + energies[1];
}

// Writes the conditioned samples of a tile, and returns the logarithms of the energies that the
// plan asks for, or zeros.
template <typename V>
V condition_frames(const TilePlan<Scalar<V>>& plan, const Scalar<V>* hops, Scalar<V>* rows) {
  const Conditioning<Scalar<V>>& conditioning = plan.conditioning;
  switch (conditioning.energy) {
    case FrameEnergy::kRaw:
      return energy_level(conditioning, write_conditioned<true, V>(plan, hops, rows));
    case FrameEnergy::kWindowed:
      write_conditioned<false, V>(plan, hops, rows);
      return energy_level(conditioning, windowed_energy<V>(plan, rows));
    default:
      return write_conditioned<false, V>(plan, hops, rows);
  }
}

// ---- Backwards
// ------------------------------------------------------------------------------------

// The rows that the gradient of a tile needs.
template <typename T>
struct ConditionedRows {
  T* samples;   // conditioned
  T* centered;  // without their mean only
  T* gradient;  // of the conditioned samples, and then of those before
};

// Returns the factor of what an energy is a sum of squares of, in its gradient.
template <typename V>
SPECFAST_INLINE V energy_slope(const Conditioning<Scalar<V>>& conditioning, V energy, V cotangent) {
  using S = Scalar<V>;
  const V scaled = energy * conditioning.energy_gain;
  const V slope = cotangent * (S(2) * conditioning.energy_gain) / scaled;
  return scaled <= conditioning.energy_floor ? V{} : slope;
}

// Adds the gradient by the energy of what the window leaves to that of the conditioned samples.
template <typename V>
void add_windowed_energy(const TilePlan<Scalar<V>>& plan, const ConditionedRows<Scalar<V>>& rows,
                         V cotangent) {
  const V energy = windowed_energy<V>(plan, rows.samples);
  const V slope = energy_slope(plan.conditioning, energy, cotangent);
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const int64_t at = n * kLanesOf<V>;
    const V sample = load<V>(rows.samples + at) * (plan.window[n] * plan.window[n]);
    store(rows.gradient + at, madd(slope, sample, load<V>(rows.gradient + at)));
  }
}

// Turns the gradient of the conditioned samples into that of the samples without their mean, and
// returns the sum of it. `slope` is what the raw energy gives of each sample.
template <typename V>
V undo_preemphasis(const TilePlan<Scalar<V>>& plan, const ConditionedRows<Scalar<V>>& rows,
                   V slope) {
  const V coefficient = broadcast<V>(plan.conditioning.coefficient);
  V total = V{};
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const int64_t at = n * kLanesOf<V>;
    V value = load<V>(rows.gradient + at);
    if (n == 0) value = nmadd(coefficient, value, value);
    if (n + 1 < plan.frame_length)
      value = nmadd(coefficient, load<V>(rows.gradient + at + kLanesOf<V>), value);
    if (rows.centered) value = madd(slope, load<V>(rows.centered + at), value);
    store(rows.gradient + at, value);
    total = total + value;
  }
  return total;
}

// Adds the gradient of the conditioned samples and of the energy to the hop matrix.
template <typename V>
SPECFAST_NOINLINE void add_condition_gradient(const TilePlan<Scalar<V>>& plan,
                                              const ConditionedRows<Scalar<V>>& rows,
                                              V energy_cotangent, Scalar<V>* hops) {
  const Conditioning<Scalar<V>>& conditioning = plan.conditioning;
  V slope = V{};
  if (conditioning.energy == FrameEnergy::kWindowed) {
    add_windowed_energy<V>(plan, rows, energy_cotangent);
  } else if (rows.centered) {
    V energy = V{};
    for (int64_t n = 0; n < plan.frame_length; ++n) {
      const V sample = load<V>(rows.centered + n * kLanesOf<V>);
      energy = madd(sample, sample, energy);
    }
    slope = energy_slope(conditioning, energy, energy_cotangent);
  }
  const V total = undo_preemphasis<V>(plan, rows, slope);
  const V mean = conditioning.removes_mean ? total * conditioning.inverse_length : V{};
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    Scalar<V>* const to = hops + conditioning.hop_offset[n];
    store_unaligned(to, load_unaligned<V>(to) + (load<V>(rows.gradient + n * kLanesOf<V>) - mean));
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
