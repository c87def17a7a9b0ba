// SPDX-License-Identifier: BSD-3-Clause
// Band energies to output rows, their extrema, and the gradient of rows to that of the energies.
#pragma once

#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename V>
struct Extrema {
  V max = broadcast<V>(-Scalar<V>(__builtin_inf()));
  V min = broadcast<V>(Scalar<V>(__builtin_inf()));

  SPECFAST_INLINE void include(V v) {
    max = at_least(max, v);
    min = at_most(min, v);
  }
  // `total`: of all energies of a frame, which are not negative, so that only a NaN makes it one.
  SPECFAST_INLINE TileExtrema<Scalar<V>> reduce(V total, int64_t num_lanes) const {
    TileExtrema<Scalar<V>> result{max[0], min[0], false};
    for (int lane = 0; lane < num_lanes; ++lane) {
      if (max[lane] > result.max) result.max = max[lane];
      if (min[lane] < result.min) result.min = min[lane];
      result.has_nan |= total[lane] != total[lane];
    }
    return result;
  }
};

// Band energies to levels: 10 log10(max(energy, min_power)) - reference, or as they are. A function
// of its own for each case, so that nothing but the constants competes for registers.
template <bool kDecibels, bool kExtrema, typename V>
SPECFAST_NOINLINE Extrema<V> level_loop(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands,
                                        Scalar<V>* rows, int64_t row_stride) {
  Extrema<V> extrema;
  const auto put = [&](int64_t band, V level) SPECFAST_INLINE_LAMBDA {
    if constexpr (kExtrema) extrema.include(level);
    store_unaligned(rows + band * row_stride, level);
  };
  const int64_t num_bands = plan.num_bands;
  if constexpr (kDecibels) {
    const V reference = broadcast<V>(plan.reference_db);
    log_rows<Decibels, V>(bands, kLanesOf<V>, num_bands, plan.min_power,
                          [&put, reference](int64_t band, V log)
                              SPECFAST_INLINE_LAMBDA { put(band, log - reference); });
  } else {
    for (int64_t band = 0; band < num_bands; ++band) put(band, load<V>(bands + band * kLanesOf<V>));
  }
  // A copy: the result itself lies in memory, where the loops would keep it.
  return Extrema<V>(extrema);
}

template <typename V>
Extrema<V> level_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands, Scalar<V>* rows,
                       int64_t row_stride) {
  using Loop = Extrema<V> (*)(const TilePlan<Scalar<V>>&, const Scalar<V>*, Scalar<V>*, int64_t);
  static constexpr Loop kLoops[2][2] = {{level_loop<false, false, V>, level_loop<false, true, V>},
                                        {level_loop<true, false, V>, level_loop<true, true, V>}};
  return kLoops[plan.level_op == LevelOp::kDecibel][plan.track_extrema](plan, bands, rows,
                                                                        row_stride);
}

// Gradient of the band energies, in place of that of the levels.
template <typename V>
void level_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* energies, Scalar<V>* bands) {
  using S = Scalar<V>;
  if (plan.level_op != LevelOp::kDecibel) return;
  constexpr S kSmallestEnergy = 16 * kSmallestNormal<S>;  // above it the slope is finite
  const S floor = plan.min_power > kSmallestEnergy ? plan.min_power : kSmallestEnergy;
  for (int64_t at = 0; at < plan.num_bands * kLanesOf<V>; at += kLanesOf<V>) {
    const V energy = load<V>(energies + at);
    const V slope = S(4.34294481903251827651128918916605082L) / energy;
    store(bands + at, energy <= floor ? V{} : load<V>(bands + at) * slope);
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
