// SPDX-License-Identifier: BSD-3-Clause
// The real inverse transform of one tile, and the adjoint of the forward one, window and overlap
// included, which turns the gradient of a spectrum into that of the samples in the hop matrix.
//
// The adjoint x[n] = sum over bins k of Re G[k] cos(2 pi n k / N) - Im G[k] sin(2 pi n k / N) is a
// real inverse transform, of G halved but for the bins that are their own mirror images (0 and N/2).
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
// images. Leaves x[2m] and -x[2m+1] at bin_place[m].
template <typename V, typename Spectrum>
void invert_by_own_passes(const TilePlan<Scalar<V>>& plan, const Spectrum& spectrum,
                          Scalar<V> end_weight, Scalar<V>* z) {
  using S = Scalar<V>;
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  const int64_t half = plan.dft_length / 2;
  const auto put_conjugate = [z](int64_t k, V re, V im) SPECFAST_INLINE_LAMBDA {
    store(z + k * kStep, re);
    store(z + k * kStep + kStep / 2, -im);
  };
  const V first = spectrum.re(0), last = spectrum.re(half);
  put_conjugate(0, end_weight * (first + last), end_weight * (first - last));
  put_conjugate(half / 2, S(2) * spectrum.re(half / 2), S(-2) * spectrum.im(half / 2));
  for (int64_t k = 1; 2 * k < half; ++k) {
    const Complex<V> a = {spectrum.re(k), spectrum.im(k)};
    const Complex<V> b = {spectrum.re(half - k), spectrum.im(half - k)};
    const Complex<V> e = {a.re + b.re, a.im - b.im}, difference = {a.re - b.re, a.im + b.im};
    const Complex<V> d = times(difference, broadcast<V>(plan.real_twiddles[2 * k]),
                               broadcast<V>(plan.real_twiddles[2 * k + 1]));
    put_conjugate(k, e.re - d.im, e.im + d.re);
    put_conjugate(half - k, e.re + d.im, d.re - e.im);
  }
  Prefetcher nothing(TileArgs<S>{}, 0);
  run_passes<V>(z, plan, 0, plan.num_passes, nothing);
}

// Does the same by pocketfft, and leaves the samples in order. Weights are half of those above.
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
  invert_by_own_passes<V>(plan, gradient, S(2), z);
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
