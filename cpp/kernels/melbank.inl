// SPDX-License-Identifier: BSD-3-Clause
// Power rows to mel bands and their level. Included inside the namespace of one ISA.

template <typename V>
struct Extrema {
  V max = broadcast<V>(-Scalar<V>(__builtin_inf()));
  V min = broadcast<V>(Scalar<V>(__builtin_inf()));
  IntVec<V> nan = {};

  SPECFAST_INLINE void include(V v) {
    max = v > max ? v : max;
    min = v < min ? v : min;
    nan |= v != v;
  }
  SPECFAST_INLINE TileExtrema<Scalar<V>> reduce(int64_t num_lanes) const {
    TileExtrema<Scalar<V>> result{max[0], min[0], nan[0] != 0};
    for (int lane = 1; lane < num_lanes; ++lane) {
      if (max[lane] > result.max) result.max = max[lane];
      if (min[lane] < result.min) result.min = min[lane];
      result.has_nan |= nan[lane] != 0;
    }
    return result;
  }
};

// 10 log10(max(energy, min_power)) - reference.
template <typename V>
SPECFAST_INLINE V decibel(V energy, const TilePlan<Scalar<V>>& plan) {
  const V ten_over_ln10 = broadcast<V>(Scalar<V>(4.34294481903251827651128918916605082L));
  const V log = natural_log(at_least(energy, broadcast<V>(plan.min_power)));
  return ten_over_ln10 * log - plan.reference_db;
}

// Adjacent triangles share their edges, so between two edges just one band rises and the one before it falls: every bin is
// read once.
template <typename V>
void mel_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* power, Scalar<V>* bands, int64_t row_stride,
               Extrema<V>& extrema) {
  const auto interval = [&plan, power](int64_t index, V& rising, V& falling) SPECFAST_INLINE_LAMBDA {
    rising = V{};
    falling = V{};
    for (int64_t bin = plan.interval_begin[index]; bin < plan.interval_begin[index + 1]; ++bin) {
      const V p = load<V>(power + bin * kLanesOf<V>);
      rising = madd(p, broadcast<V>(plan.rising[bin]), rising);
      falling = madd(p, broadcast<V>(plan.falling[bin]), falling);
    }
  };
  V rising, falling;
  interval(0, rising, falling);
  for (int64_t band = 0; band < plan.num_bands; ++band) {
    V next_rising;
    interval(band + 1, next_rising, falling);
    V value = rising + falling;
    if (plan.level_op == LevelOp::kDecibel) value = decibel(value, plan);
    if (plan.track_extrema) extrema.include(value);
    store_unaligned(bands + band * row_stride, value);
    rising = next_rising;
  }
}
