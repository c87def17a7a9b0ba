// SPDX-License-Identifier: BSD-3-Clause
// Power rows to mel bands and their level. Included inside the namespace of one ISA.

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

// Adjacent triangles share their edges, so between two edges just one band rises and the one before
// it falls: every bin is read once. Returns the sum of all bands. The lines of `rows`, which will
// be written to next, are fetched meanwhile.
template <typename V>
V sum_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* power, Scalar<V>* bands,
            const Scalar<V>* rows, int64_t row_stride) {
  // A band that holds no bin must still show the NaN of its frame.
  const V dc = load<V>(power);
  const V start = dc != dc ? dc : V{};
  // Two bins a step, each with sums of its own: a single chain of additions would wait for itself.
  const auto interval = [&plan, power, start](int64_t index, V& rising,
                                              V& falling) SPECFAST_INLINE_LAMBDA {
    V rising2 = V{}, falling2 = V{};
    rising = start;
    falling = start;
    const int64_t end = plan.interval_begin[index + 1];
    int64_t bin = plan.interval_begin[index];
    for (; bin + 2 <= end; bin += 2) {
      const V p = load_once<V>(power + bin * kLanesOf<V>),
              p2 = load_once<V>(power + (bin + 1) * kLanesOf<V>);
      V weights[4];
      spread(plan.mel_weights + 2 * bin, weights);
      rising = madd(p, weights[0], rising);
      falling = madd(p, weights[1], falling);
      rising2 = madd(p2, weights[2], rising2);
      falling2 = madd(p2, weights[3], falling2);
    }
    if (bin < end) {
      const V p = load_once<V>(power + bin * kLanesOf<V>);
      rising = madd(p, broadcast<V>(plan.mel_weights[2 * bin]), rising);
      falling = madd(p, broadcast<V>(plan.mel_weights[2 * bin + 1]), falling);
    }
    rising = rising + rising2;
    falling = falling + falling2;
  };
  V rising, falling, total = V{};
  interval(0, rising, falling);
  for (int64_t band = 0; band < plan.num_bands; ++band) {
    __builtin_prefetch(rows + band * row_stride, 0, 2);
    V next_rising;
    interval(band + 1, next_rising, falling);
    const V sum = rising + falling;
    store(bands + band * kLanesOf<V>, sum);
    total = total + sum;
    rising = next_rising;
  }
  return total;
}

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
