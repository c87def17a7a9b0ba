// SPDX-License-Identifier: BSD-3-Clause
// The level operations: each a structure that turns band energies into levels (value), and the
// gradient of a level into that of the energy (gradient).
#pragma once

#include "kernels/lanes/list.inl"
#include "kernels/lanes/math.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// The extrema of the levels of each frame of a vector.
template <typename V>
struct Extrema {
  V max = broadcast<V>(-Scalar<V>(__builtin_inf()));
  V min = broadcast<V>(Scalar<V>(__builtin_inf()));

  SPECFAST_INLINE void include(V v) {
    max = at_least(max, v);
    min = at_most(min, v);
  }
  // Returns the extrema of all frames. `total` is the sum of all energies of a frame, which are not
  // negative, so that only a NaN among them makes it NaN.
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

// ---- The operations -----------------------------------------------------------------------------

// The levels are the energies as they are.
struct Identity {
  static constexpr LevelOp kOp = LevelOp::kIdentity;

  // Calls put(band, level) for each band in order.
  template <typename V, typename Put>
  static SPECFAST_INLINE void value(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands,
                                    const Put& put) {
    const int64_t num_bands = plan.num_bands;
    for (int64_t band = 0; band < num_bands; ++band) put(band, load<V>(bands + band * kLanesOf<V>));
  }

  // Returns the level of one energy, where bands do not lie in memory.
  template <typename V>
  static SPECFAST_INLINE V value_of_one(const TilePlan<Scalar<V>>&, V energy) {
    return energy;
  }

  template <typename V>
  static SPECFAST_INLINE V gradient(const TilePlan<Scalar<V>>&, V level, V) {
    return level;
  }
};

// The levels are logarithms in these units, minus the level of the reference.
template <LevelOp kOperation, template <typename> class Units>
struct Logarithm {
  static constexpr LevelOp kOp = kOperation;

  template <typename V, typename Put>
  static SPECFAST_INLINE void value(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands,
                                    const Put& put) {
    const V reference = broadcast<V>(plan.reference_level);
    const Floor<V, true> floor(plan.min_power, plan.level_addend);
    log_rows<Units, V>(bands, kLanesOf<V>, plan.num_bands, floor,
                       [&put, reference](int64_t band, V log)
                           SPECFAST_INLINE_LAMBDA { put(band, log - reference); });
  }

  template <typename V>
  static SPECFAST_INLINE V value_of_one(const TilePlan<Scalar<V>>& plan, V energy) {
    const V floor = broadcast<V>(plan.min_power);
    return log_in<Units>(at_least(energy + plan.level_addend, floor)) - plan.reference_level;
  }

  // The gradient is zero where the floor holds, and where the slope would not be finite.
  template <typename V>
  static SPECFAST_INLINE V gradient(const TilePlan<Scalar<V>>& plan, V level, V energy) {
    using S = Scalar<V>;
    constexpr S kSmallestEnergy = 16 * kSmallestNormal<S>;
    const S floor = plan.min_power > kSmallestEnergy ? plan.min_power : kSmallestEnergy;
    const V sum = energy + plan.level_addend;
    const V slope = Units<S>::unit / sum;
    return sum <= floor ? V{} : level * slope;
  }
};

using Decibel = Logarithm<LevelOp::kDecibel, DecibelUnits>;
using Log10 = Logarithm<LevelOp::kLog10, Log10Units>;
using Natural = Logarithm<LevelOp::kNatural, NaturalUnits>;

// ---- The list of the operations -----------------------------------------------------------------

using LevelOperations = List<Identity, Decibel, Log10, Natural>;

// Returns whether the list has the operations of the seam, each at its number.
template <typename... Ops>
constexpr bool lists_all_level_ops(List<Ops...>) {
  constexpr LevelOp kListed[] = {Ops::kOp...};
  for (std::size_t place = 0; place < sizeof...(Ops); ++place)
    if (int(kListed[place]) != int(place)) return false;
  return sizeof...(Ops) == kNumLevelOps;
}
static_assert(lists_all_level_ops(LevelOperations()), "LevelOperations and LevelOp differ");

// ---- Functions by operation ---------------------------------------------------------------------

// Writes the rows of levels and returns their extrema if kExtrema is set. Each case is a function
// of its own, so that nothing but the constants competes for registers.
template <typename Op, bool kExtrema, bool kScales, typename V>
SPECFAST_NOINLINE Extrema<V> level_loop(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands,
                                        Scalar<V>* rows, int64_t row_stride) {
  Extrema<V> extrema;
  Op::template value<V>(plan, bands, [&](int64_t band, V level) SPECFAST_INLINE_LAMBDA {
    if constexpr (kScales) {
      const RowsBehindLevels<Scalar<V>>& behind = plan.behind_levels;
      level = madd(level, broadcast<V>(behind.gain[band]), broadcast<V>(behind.offset[band]));
    }
    if constexpr (kExtrema) extrema.include(level);
    store_unaligned(rows + band * row_stride, level);
  });
  // This returns a copy because the result itself lies in memory, where the loops would keep it.
  return Extrema<V>(extrema);
}

template <bool kExtrema, bool kScales, typename V>
struct LevelLoops {
  using Function = Extrema<V> (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* bands,
                                  Scalar<V>* rows, int64_t row_stride);

  template <typename Op>
  static constexpr Function of() {
    return level_loop<Op, kExtrema, kScales, V>;
  }
};

// Turns band energies into rows of levels, with their gain and offset unless rows follow that have
// these. Returns the extrema of the results if the plan tracks them; they are cheap beside a gain,
// so that with one they are always there.
template <typename V>
Extrema<V> level_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands, Scalar<V>* rows,
                       int64_t row_stride) {
  constexpr LevelOperations kOperations;
  const int place = int(plan.level_op);
  const bool scales = plan.behind_levels.gain && !plan.behind_levels.is_used;
  const auto loop = scales ? function_at<LevelLoops<true, true, V>>(place, kOperations)
                    : plan.track_extrema
                        ? function_at<LevelLoops<true, false, V>>(place, kOperations)
                        : function_at<LevelLoops<false, false, V>>(place, kOperations);
  return loop(plan, bands, rows, row_stride);
}

template <typename Op, typename V>
void level_gradient_loop(const TilePlan<Scalar<V>>& plan, const Scalar<V>* energies,
                         Scalar<V>* bands) {
  for (int64_t at = 0; at < plan.num_bands * kLanesOf<V>; at += kLanesOf<V>)
    store(bands + at, Op::gradient(plan, load<V>(bands + at), load<V>(energies + at)));
}

template <typename V>
struct LevelGradients {
  using Function = void (*)(const TilePlan<Scalar<V>>&, const Scalar<V>* energies,
                            Scalar<V>* bands);

  template <typename Op>
  static constexpr Function of() {
    return level_gradient_loop<Op, V>;
  }
};

// Turns the gradient of the levels into that of the band energies, in place.
template <typename V>
void level_gradient(const TilePlan<Scalar<V>>& plan, const Scalar<V>* energies, Scalar<V>* bands) {
  function_at<LevelGradients<V>>(int(plan.level_op), LevelOperations())(plan, energies, bands);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
