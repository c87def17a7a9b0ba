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

// Writes the conditioned samples, and returns the energies of the samples without their mean.
template <bool kWithEnergy, typename V>
SPECFAST_NOINLINE V write_conditioned(const TilePlan<Scalar<V>>& plan, const Scalar<V>* hops,
                                      Scalar<V>* rows) {
  const Conditioning<Scalar<V>>& conditioning = plan.conditioning;
  const uint32_t* const offset = conditioning.hop_offset;
  const V mean = conditioning.removes_mean ? frame_mean<V>(plan, hops) : V{};
  const V coefficient = broadcast<V>(conditioning.coefficient);
  V previous = load_unaligned<V>(hops + offset[0]) - mean;
  V energies[2] = {V{}, V{}};
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const V sample = load_unaligned<V>(hops + offset[n]) - mean;
    if constexpr (kWithEnergy) energies[n % 2] = madd(sample, sample, energies[n % 2]);
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

// Writes the conditioned samples of a tile, and returns the logarithms of the energies that the plan
// asks for, or zeros.
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

}  // namespace
}  // namespace SPECFAST_NAMESPACE
