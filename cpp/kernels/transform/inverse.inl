// SPDX-License-Identifier: BSD-3-Clause
// The real inverse transform of one tile, and the adjoint of the forward one, window and overlap
// included, which turns the gradient of a spectrum into that of the samples in the hop matrix.
//
// The adjoint x[n] = sum over bins k of Re G[k] cos(2 pi n k / N) - Im G[k] sin(2 pi n k / N) is a
// real inverse transform, of G halved but for the bins that are their own mirror images (0 and
// N/2).
#pragma once

#include "kernels/gather.inl"
#include "kernels/transform/fallback.inl"
#include "kernels/transform/rfft.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Reads the gradient of the spectrum in planes of rows; a plane that is null reads as zero.
template <typename V>
struct SpectrumPlanes {
  const Scalar<V>* real;
  const Scalar<V>* imag;

  SPECFAST_INLINE V re(int64_t bin) const { return real ? load<V>(real + bin * kLanesOf<V>) : V{}; }
  SPECFAST_INLINE V im(int64_t bin) const { return imag ? load<V>(imag + bin * kLanesOf<V>) : V{}; }
};

// Reads the spectrum of frames where it lies: `stride` values from bin to bin.
template <typename V>
struct SpectrumRows {
  const Scalar<V>* real;
  const Scalar<V>* imag;
  int64_t stride;

  SPECFAST_INLINE V re(int64_t bin) const { return load_unaligned<V>(real + bin * stride); }
  SPECFAST_INLINE V im(int64_t bin) const { return load_unaligned<V>(imag + bin * stride); }
};

// An inverse transform is the conjugate of a forward one of the conjugate, so the passes are those
// of the way forward. With z[m] = x[2m] + i x[2m+1], X the halved G and w = exp(2 pi i / N),
//
//   E = X[k] + conj X[N/2-k]  and  D = w^k (X[k] - conj X[N/2-k])
//
// make Z[k] = E + i D and Z[N/2-k] = conj E + i conj D. G is not halved: the window has a factor of
// one half. `end_weight` is what the bins 0 and N/2 are multiplied by: 2 for a gradient, in which
// every bin counts once; 1 for the spectrum of a real signal, in which they are their own mirror
// images.
template <typename V, typename Spectrum>
struct Entangler {
  const TilePlan<Scalar<V>>& plan;
  const Spectrum& spectrum;
  Scalar<V> end_weight;

  int64_t half() const { return plan.dft_length / 2; }
  // All return the conjugates of Z: that of bin 0; that of bin N/4; those of k and N/2-k.
  SPECFAST_INLINE Complex<V> zero() const {
    const V first = spectrum.re(0), last = spectrum.re(half());
    return {end_weight * (first + last), -(end_weight * (first - last))};
  }
  SPECFAST_INLINE Complex<V> middle() const {
    return {Scalar<V>(2) * spectrum.re(half() / 2), Scalar<V>(2) * spectrum.im(half() / 2)};
  }
  SPECFAST_INLINE void pair(int64_t k, Complex<V>& lower, Complex<V>& upper) const {
    const Complex<V> a = {spectrum.re(k), spectrum.im(k)};
    const Complex<V> b = {spectrum.re(half() - k), spectrum.im(half() - k)};
    const Complex<V> e = {a.re + b.re, a.im - b.im}, difference = {a.re - b.re, a.im + b.im};
    const Complex<V> d = times(difference, broadcast<V>(plan.real_twiddles[2 * k]),
                               broadcast<V>(plan.real_twiddles[2 * k + 1]));
    lower = {e.re - d.im, -(e.im + d.re)};
    upper = {e.re + d.im, e.im - d.re};
  }
};

// Writes the conjugate of Z.
template <typename V, typename Spectrum>
void entangle(const Entangler<V, Spectrum>& entangler, Scalar<V>* z) {
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  const int64_t half = entangler.half();
  const auto put = [z](int64_t k, Complex<V> value) SPECFAST_INLINE_LAMBDA {
    store(z + k * kStep, value.re);
    store(z + k * kStep + kStep / 2, value.im);
  };
  put(0, entangler.zero());
  put(half / 2, entangler.middle());
  for (int64_t k = 1; 2 * k < half; ++k) {
    Complex<V> lower, upper;
    entangler.pair(k, lower, upper);
    put(k, lower);
    put(half - k, upper);
  }
}

// Writes the conjugate of Z after the first pass, of even radix. Point q of butterfly j and point
// kRadix - 1 - q of butterfly leg - j mirror each other, so two butterflies are made of each
// other's bins.
template <int kRadix, typename V, typename Spectrum>
void entangle_into_first_pass(const Entangler<V, Spectrum>& entangler, Scalar<V>* z,
                              Prefetcher& prefetcher) {
  using S = Scalar<V>;
  static_assert(kRadix % 2 == 0);
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  constexpr int64_t kFactors = 2 * (kRadix - 1) * kFactorCopies<S>;
  const FftPass<S>& pass = entangler.plan.passes[0];
  const int64_t leg = pass.length / kRadix;
  const auto finish = [&](Complex<V>(&a)[kRadix], int64_t j) SPECFAST_INLINE_LAMBDA {
    prefetcher.step();
    Butterfly<kRadix, kRadix, V>::apply(a);
    store_turned<kRadix, V>(a, z + j * kStep, leg * kStep,
                            j == 0 ? nullptr : pass.twiddles + (j - 1) * kFactors);
  };
  Complex<V> a[kRadix], b[kRadix];
  a[0] = entangler.zero();
  a[kRadix / 2] = entangler.middle();
  for (int q = 1; q < kRadix / 2; ++q) entangler.pair(q * leg, a[q], a[kRadix - q]);
  finish(a, 0);
  for (int64_t j = 1; 2 * j < leg; ++j) {
    for (int q = 0; q < kRadix / 2; ++q) {
      entangler.pair(j + q * leg, a[q], b[kRadix - 1 - q]);
      entangler.pair(leg - j + q * leg, b[q], a[kRadix - 1 - q]);
    }
    finish(a, j);
    finish(b, leg - j);
  }
  // The last pass has radix 4, so that a leg is even.
  for (int q = 0; q < kRadix / 2; ++q) entangler.pair(leg / 2 + q * leg, a[q], a[kRadix - 1 - q]);
  finish(a, leg / 2);
}

// Leaves x[2m] and -x[2m+1] at bin_place[m]. With `kFusesPass` the usual
// radices take the spectrum into the first pass; the numbers are the same.
template <bool kFusesPass, typename V, typename Spectrum>
void invert_by_own_passes(const TilePlan<Scalar<V>>& plan, const Spectrum& spectrum,
                          Scalar<V> end_weight, Scalar<V>* z, Prefetcher& prefetcher) {
  const Entangler<V, Spectrum> entangler{plan, spectrum, end_weight};
  const FftPass<Scalar<V>>& pass = plan.passes[0];
  if constexpr (kFusesPass) {
    if (pass.radix == 8 || pass.radix == 4) {
      if (pass.radix == 8) {
        entangle_into_first_pass<8, V>(entangler, z, prefetcher);
      } else {
        entangle_into_first_pass<4, V>(entangler, z, prefetcher);
      }
      const int64_t leg = pass.length / pass.radix * 2 * kLanesOf<V>;
      for (int64_t q = 0; q < pass.radix; ++q)
        run_passes<V>(z + q * leg, plan, 1, plan.num_passes, prefetcher);
      return;
    }
  }
  entangle(entangler, z);
  run_passes<V>(z, plan, 0, plan.num_passes, prefetcher);
}

// Does the same by pocketfft, and leaves the samples in order.
template <typename V, typename Spectrum>
void invert_by_fallback(const TilePlan<Scalar<V>>& plan, const Spectrum& spectrum,
                        Scalar<V> end_weight, Scalar<V>* frame, Scalar<V>* scratch_values) {
  using S = Scalar<V>;
  constexpr int64_t kStep = kLanesOf<V>;
  store(frame, S(0.5) * end_weight * spectrum.re(0));
  for (int64_t bin = 1; 2 * bin < plan.dft_length; ++bin) {
    store(frame + (2 * bin - 1) * kStep, S(0.5) * spectrum.re(bin));
    store(frame + 2 * bin * kStep, S(0.5) * spectrum.im(bin));
  }
  if (plan.dft_length % 2 == 0) {
    store(frame + (plan.dft_length - 1) * kStep,
          S(0.5) * end_weight * spectrum.re(plan.dft_length / 2));
  }
  fallback_exec<V>(plan, frame, scratch_values, false);
}

// ---- The gradient of the forward transform ------------------------------------------------------

template <typename V>
void add_by_own_inverse(const TilePlan<Scalar<V>>& plan, const SpectrumPlanes<V>& gradient,
                        Scalar<V>* z, Scalar<V>* hops) {
  using S = Scalar<V>;
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  Prefetcher nothing(TileArgs<S>{}, 0);
  invert_by_own_passes<false, V>(plan, gradient, S(2), z, nothing);
  for (int64_t n = 0; n < plan.frame_length; n += 2) {
    const S* const at = z + plan.bin_place[n / 2] * kStep;
    add_sample<V>(plan, n, 0, load<V>(at) * plan.window[n], hops);
    if (n + 1 < plan.frame_length)
      add_sample<V>(plan, n + 1, 0, load<V>(at + kStep / 2) * -plan.window[n + 1], hops);
  }
}

template <typename V>
void add_by_fallback_inverse(const TilePlan<Scalar<V>>& plan, const SpectrumPlanes<V>& gradient,
                             Scalar<V>* frame, Scalar<V>* scratch_values, Scalar<V>* hops) {
  invert_by_fallback<V>(plan, gradient, Scalar<V>(2), frame, scratch_values);
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const int64_t wrapped = n < plan.dft_length ? n : n - plan.dft_length;
    add_sample<V>(plan, n, 0, load<V>(frame + wrapped * kLanesOf<V>) * plan.window[n], hops);
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
