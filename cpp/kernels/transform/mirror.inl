// SPDX-License-Identifier: BSD-3-Clause
// Untangles the two halves of a real transform: a point and its mirror image become two bins. A
// writer has the plan, poison_from(dc, nyquist) and write(bin, re, im, is_edge).
#pragma once

#include "kernels/lanes/complex.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Makes the spectrum X of N real points from the half-length transform Z of
// z[n] = (x[2n] + i x[2n+1]) / 2. With w = exp(-2 pi i / N),
//
//   E = Z[k] + conj Z[N/2-k]  and  D = Z[k] - conj Z[N/2-k]
//
// make X[k] = E - i w^k D and X[N/2-k] = conj(E + i w^k D). Here a = Z[k] and b = Z[N/2-k],
// 0 < k < N/4.
template <typename Writer, typename V>
SPECFAST_INLINE void untangle(const Writer& writer, int64_t k, Complex<V> a, Complex<V> b) {
  const auto& plan = writer.plan;
  const V cosine = broadcast<V>(plan.real_twiddles[2 * k]),
          sine = broadcast<V>(plan.real_twiddles[2 * k + 1]);
  const Complex<V> e = {a.re + b.re, a.im - b.im}, d = {a.re - b.re, a.im + b.im};
  if constexpr (kFuses) {
    writer.write(k, madd(cosine, d.im, nmadd(sine, d.re, e.re)),
                 nmadd(cosine, d.re, nmadd(sine, d.im, e.im)), false);
    writer.write(plan.dft_length / 2 - k, nmadd(cosine, d.im, madd(sine, d.re, e.re)),
                 -madd(cosine, d.re, madd(sine, d.im, e.im)), false);
  } else {
    const V turned_re = nmadd(sine, d.re, cosine * d.im);
    const V turned_im = madd(sine, d.im, cosine * d.re);
    writer.write(k, e.re + turned_re, e.im - turned_im, false);
    writer.write(plan.dft_length / 2 - k, e.re - turned_re, -(e.im + turned_im), false);
  }
}

// The bins k = 0 (with N/2) and k = N/4 are their own mirror images.
template <typename Writer, typename V>
SPECFAST_INLINE void untangle_zero(Writer& writer, Complex<V> zero) {
  const V sum = zero.re + zero.im, difference = zero.re - zero.im;
  writer.poison_from(sum, difference);
  writer.write(0, sum + sum, V{}, true);
  writer.write(writer.plan.dft_length / 2, difference + difference, V{}, true);
}
template <typename Writer, typename V>
SPECFAST_INLINE void untangle_middle(const Writer& writer, Complex<V> middle) {
  writer.write(writer.plan.dft_length / 4, middle.re + middle.re, -(middle.im + middle.im), false);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
