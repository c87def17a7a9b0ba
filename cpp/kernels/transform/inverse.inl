// SPDX-License-Identifier: BSD-3-Clause
// The adjoint of the real transform of one tile, window and overlap included: turns the gradient of
// a spectrum into that of the samples in the hop matrix.
//
// x[n] = sum over bins k of Re G[k] cos(2 pi n k / N) - Im G[k] sin(2 pi n k / N) is a real inverse
// transform, of G halved but for the bins that are their own mirror images (0 and N/2).
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

// An inverse transform is the conjugate of a forward one of the conjugate, so the passes are those
// of the way forward. With z[m] = x[2m] + i x[2m+1], X the halved G and w = exp(2 pi i / N),
//
//   E = X[k] + conj X[N/2-k]  and  D = w^k (X[k] - conj X[N/2-k])
//
// make Z[k] = E + i D and Z[N/2-k] = conj E + i conj D. The window has a factor of one half, so
// that G is not halved, and is doubled at both ends.
template <typename V>
void add_by_own_inverse(const TilePlan<Scalar<V>>& plan, const SpectrumPlanes<V>& gradient,
                        Scalar<V>* z, Scalar<V>* hops) {
  using S = Scalar<V>;
  constexpr int64_t kStep = 2 * kLanesOf<V>;
  const int64_t half = plan.dft_length / 2;
  const auto put_conjugate = [z](int64_t k, V re, V im) SPECFAST_INLINE_LAMBDA {
    store(z + k * kStep, re);
    store(z + k * kStep + kStep / 2, -im);
  };
  const V first = gradient.re(0), last = gradient.re(half);
  put_conjugate(0, S(2) * (first + last), S(2) * (first - last));
  put_conjugate(half / 2, S(2) * gradient.re(half / 2), S(-2) * gradient.im(half / 2));
  for (int64_t k = 1; 2 * k < half; ++k) {
    const Complex<V> a = {gradient.re(k), gradient.im(k)};
    const Complex<V> b = {gradient.re(half - k), gradient.im(half - k)};
    const Complex<V> e = {a.re + b.re, a.im - b.im}, difference = {a.re - b.re, a.im + b.im};
    const Complex<V> d = times(difference, broadcast<V>(plan.real_twiddles[2 * k]),
                               broadcast<V>(plan.real_twiddles[2 * k + 1]));
    put_conjugate(k, e.re - d.im, e.im + d.re);
    put_conjugate(half - k, e.re + d.im, d.re - e.im);
  }
  Prefetcher nothing(TileArgs<S>{}, 0);
  run_passes<V>(z, plan, 0, plan.num_passes, nothing);
  for (int64_t n = 0; n < plan.frame_length; n += 2) {
    const S* const at = z + plan.bin_place[n / 2] * kStep;
    add_sample<V>(plan, n, 0, load<V>(at) * plan.window[n], hops);
    if (n + 1 < plan.frame_length)
      add_sample<V>(plan, n + 1, 0, load<V>(at + kStep / 2) * -plan.window[n + 1], hops);
  }
}

// Does the same by pocketfft.
template <typename V>
void add_by_fallback_inverse(const TilePlan<Scalar<V>>& plan, const SpectrumPlanes<V>& gradient,
                             Scalar<V>* frame, Scalar<V>* scratch_values, Scalar<V>* hops) {
  using S = Scalar<V>;
  constexpr int64_t kStep = kLanesOf<V>;
  store(frame, gradient.re(0));
  for (int64_t bin = 1; 2 * bin < plan.dft_length; ++bin) {
    store(frame + (2 * bin - 1) * kStep, S(0.5) * gradient.re(bin));
    store(frame + 2 * bin * kStep, S(0.5) * gradient.im(bin));
  }
  if (plan.dft_length % 2 == 0)
    store(frame + (plan.dft_length - 1) * kStep, gradient.re(plan.dft_length / 2));
  fallback_exec<V>(plan, frame, scratch_values, false);
  for (int64_t n = 0; n < plan.frame_length; ++n) {
    const int64_t wrapped = n < plan.dft_length ? n : n - plan.dft_length;
    add_sample<V>(plan, n, 0, load<V>(frame + wrapped * kStep) * plan.window[n], hops);
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
