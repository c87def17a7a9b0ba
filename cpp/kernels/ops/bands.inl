// SPDX-License-Identifier: BSD-3-Clause
// The filterbank: turns power rows into band energies, and the gradient of the output rows into
// that of the spectrum.
#pragma once

#include "kernels/ops/levels.inl"
#include "kernels/ops/rows.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Sums the powers into bands, and returns the sum of all bands. Adjacent triangles share their
// edges, so between two edges just one band rises and the one before it falls: every bin is read
// once. The lines of `rows`, which will be written to next, are fetched meanwhile.
template <typename V>
V sum_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* power, Scalar<V>* bands,
            const Scalar<V>* rows, int64_t row_stride) {
  // A band that holds no bin must still show the NaN or infinity of its frame, of which the power
  // of DC is NaN.
  const V dc = load<V>(power);
  const V start = dc != dc ? dc : V{};
  // A step takes two bins, each with sums of its own: a single chain of additions would wait for
  // itself.
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

// Does the same with a filterbank of any form.
template <typename V>
SPECFAST_NOINLINE V sum_dense_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* power,
                                    Scalar<V>* bands) {
  const V dc = load<V>(power);
  const V start = dc != dc ? dc : V{};
  const Scalar<V>* weights = plan.dense_weights;
  V total = V{};
  for (int64_t band = 0; band < plan.num_bands; ++band) {
    V sum = start;
    for (int64_t bin = plan.dense_range[2 * band]; bin < plan.dense_range[2 * band + 1]; ++bin)
      sum = madd(load_once<V>(power + bin * kLanesOf<V>), broadcast<V>(*weights++), sum);
    store(bands + band * kLanesOf<V>, sum);
    total = total + sum;
  }
  return total;
}

// Does either, for all but the tile of a call: they share one copy of the code.
template <typename V>
SPECFAST_NOINLINE void sum_any_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* power,
                                     Scalar<V>* bands) {
  if (plan.dense_range) {
    sum_dense_bands<V>(plan, power, bands);
  } else {
    sum_bands<V>(plan, power, bands, bands, kLanesOf<V>);
  }
}

// Turns the gradient of the bands into that of the power of each bin.
template <typename V>
SPECFAST_NOINLINE void spread_bands(const TilePlan<Scalar<V>>& plan, const Scalar<V>* bands,
                                    Scalar<V>* power) {
  constexpr int64_t kStep = kLanesOf<V>;
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) store(power + bin * kStep, V{});
  if (plan.dense_range) {
    const Scalar<V>* weights = plan.dense_weights;
    for (int64_t band = 0; band < plan.num_bands; ++band) {
      const V gradient = load<V>(bands + band * kStep);
      for (int64_t bin = plan.dense_range[2 * band]; bin < plan.dense_range[2 * band + 1]; ++bin) {
        Scalar<V>* const at = power + bin * kStep;
        store(at, madd(gradient, broadcast<V>(*weights++), load<V>(at)));
      }
    }
    return;
  }
  int64_t bin = plan.interval_begin[0];
  for (int64_t interval = 0; interval <= plan.num_bands; ++interval) {
    const V rising = interval < plan.num_bands ? load<V>(bands + interval * kStep) : V{};
    const V falling = interval > 0 ? load<V>(bands + (interval - 1) * kStep) : V{};
    for (; bin < plan.interval_begin[interval + 1]; ++bin) {
      const Scalar<V>* const weights = plan.mel_weights + 2 * bin;
      store(power + bin * kStep,
            madd(rising, broadcast<V>(weights[0]), falling * broadcast<V>(weights[1])));
    }
  }
}

// Turns the spectrum in planes into its gradient. `bands` holds the gradient of the output rows and
// is overwritten; `power` and `energies` are scratch.
template <typename Op, typename V>
void mel_spectrum_gradient(const TilePlan<Scalar<V>>& plan, Scalar<V>* bands, Scalar<V>* power,
                           Scalar<V>* energies, Scalar<V>* spectrum) {
  constexpr int64_t kStep = kLanesOf<V>;
  Scalar<V>* const imag = spectrum + plan.num_bins * kStep;
  for (int64_t at = 0; at < plan.num_bins * kStep; at += kStep) {
    const Bin<V> values{load<V>(spectrum + at), load<V>(imag + at), false};
    store(power + at, Op::value(plan, values).row[0]);
  }
  sum_any_bands<V>(plan, power, energies);
  level_gradient<V>(plan, energies, bands);
  spread_bands<V>(plan, bands, power);
  const int64_t first = plan.dense_range ? 0 : plan.interval_begin[0];
  const int64_t last = plan.dense_range ? plan.num_bins : plan.interval_begin[plan.num_bands + 1];
  for (int64_t bin = 0; bin < plan.num_bins; ++bin) {
    const int64_t at = bin * kStep;
    const Bin<V> values{load<V>(spectrum + at), load<V>(imag + at), false};
    Complex<V> gradient{V{}, V{}};
    if (bin >= first && bin < last) gradient = Op::gradient(plan, load<V>(power + at), values);
    store(spectrum + at, gradient.re);
    store(imag + at, gradient.im);
  }
}

// The gradients by operation; null for those without a filterbank.
template <typename V>
struct MelGradients {
  using Function = void (*)(const TilePlan<Scalar<V>>&, Scalar<V>* bands, Scalar<V>* power,
                            Scalar<V>* energies, Scalar<V>* spectrum);

  template <typename Op>
  static constexpr Function of() {
    if constexpr (kTraitsOf<Op>.has_filterbank) {
      return mel_spectrum_gradient<Op, V>;
    } else {
      return nullptr;
    }
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
