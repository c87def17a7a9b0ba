// SPDX-License-Identifier: BSD-3-Clause
// Complex numbers whose parts are vectors of lanes.
#pragma once

#include "kernels/lanes/lanes.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename V>
struct Complex {
  V re, im;
};

template <typename V>
SPECFAST_INLINE Complex<V> operator+(Complex<V> a, Complex<V> b) {
  return {a.re + b.re, a.im + b.im};
}
template <typename V>
SPECFAST_INLINE Complex<V> operator-(Complex<V> a, Complex<V> b) {
  return {a.re - b.re, a.im - b.im};
}
// minus_i returns a - i b, plus_i returns a + i b.
template <typename V>
SPECFAST_INLINE Complex<V> minus_i(Complex<V> a, Complex<V> b) {
  return {a.re + b.im, a.im - b.re};
}
template <typename V>
SPECFAST_INLINE Complex<V> plus_i(Complex<V> a, Complex<V> b) {
  return {a.re - b.im, a.im + b.re};
}
// madd_real returns a + c b, nmadd_real returns a - c b, with c real.
template <typename V>
SPECFAST_INLINE Complex<V> madd_real(Complex<V> a, V c, Complex<V> b) {
  return {madd(c, b.re, a.re), madd(c, b.im, a.im)};
}
template <typename V>
SPECFAST_INLINE Complex<V> nmadd_real(Complex<V> a, V c, Complex<V> b) {
  return {nmadd(c, b.re, a.re), nmadd(c, b.im, a.im)};
}
template <typename V>
SPECFAST_INLINE Complex<V> times(Complex<V> a, V re, V im) {
  return {nmadd(a.im, im, a.re * re), madd(a.im, re, a.re * im)};
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
