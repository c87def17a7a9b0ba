// SPDX-License-Identifier: BSD-3-Clause
// The transforms of a few points, in registers.
#pragma once

#include "kernels/lanes/complex.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Transforms kRadix points forward, of which those from kUsed on are zero and not read.
template <int kRadix, int kUsed, typename V>
struct Butterfly;

template <int kUsed, typename V>
struct Butterfly<2, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[2]) {
    const Complex<V> sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  }
};

template <int kUsed, typename V>
struct Butterfly<3, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[3]) {
    using S = Scalar<V>;
    const V half = broadcast<V>(S(0.5));
    const V sin60 = broadcast<V>(S(0.866025403784438646763723170752936183L));
    const Complex<V> sum = a[1] + a[2], difference = a[1] - a[2];
    const Complex<V> middle = nmadd_real(a[0], half, sum);
    const Complex<V> turned = {sin60 * difference.re, sin60 * difference.im};
    a[0] = a[0] + sum;
    a[1] = minus_i(middle, turned);
    a[2] = plus_i(middle, turned);
  }
};

template <int kUsed, typename V>
struct Butterfly<4, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[4]) {
    const Complex<V> s02 = kUsed > 2 ? a[0] + a[2] : a[0], d02 = kUsed > 2 ? a[0] - a[2] : a[0];
    const Complex<V> s13 = kUsed > 3 ? a[1] + a[3] : a[1], d13 = kUsed > 3 ? a[1] - a[3] : a[1];
    a[0] = s02 + s13;
    a[1] = minus_i(d02, d13);
    a[2] = s02 - s13;
    a[3] = plus_i(d02, d13);
  }
};

template <int kUsed, typename V>
struct Butterfly<5, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[5]) {
    using S = Scalar<V>;
    const V cos72 = broadcast<V>(S(0.309016994374947424102293417182819059L));
    const V cos36 = broadcast<V>(S(0.809016994374947424102293417182819059L));
    const V sin72 = broadcast<V>(S(0.951056516295153572116439333379382143L));
    const V sin36 = broadcast<V>(S(0.587785252292473129168705954639072769L));
    const Complex<V> s14 = a[1] + a[4], d14 = a[1] - a[4];
    const Complex<V> s23 = a[2] + a[3], d23 = a[2] - a[3];
    const Complex<V> real1 = nmadd_real(madd_real(a[0], cos72, s14), cos36, s23);
    const Complex<V> real2 = madd_real(nmadd_real(a[0], cos36, s14), cos72, s23);
    const Complex<V> turned1 = madd_real({sin72 * d14.re, sin72 * d14.im}, sin36, d23);
    const Complex<V> turned2 = nmadd_real({sin36 * d14.re, sin36 * d14.im}, sin72, d23);
    a[0] = a[0] + (s14 + s23);
    a[1] = minus_i(real1, turned1);
    a[4] = plus_i(real1, turned1);
    a[2] = minus_i(real2, turned2);
    a[3] = plus_i(real2, turned2);
  }
};

template <int kUsed, typename V>
struct Butterfly<8, kUsed, V> {
  static SPECFAST_INLINE void apply(Complex<V> (&a)[8]) {
    const V sqrt_half = broadcast<V>(Scalar<V>(0.707106781186547524400844362104849039L));
    const Complex<V> s04 = kUsed > 4 ? a[0] + a[4] : a[0], d04 = kUsed > 4 ? a[0] - a[4] : a[0];
    const Complex<V> s15 = kUsed > 5 ? a[1] + a[5] : a[1], d15 = kUsed > 5 ? a[1] - a[5] : a[1];
    const Complex<V> s26 = kUsed > 6 ? a[2] + a[6] : a[2], d26 = kUsed > 6 ? a[2] - a[6] : a[2];
    const Complex<V> s37 = kUsed > 7 ? a[3] + a[7] : a[3], d37 = kUsed > 7 ? a[3] - a[7] : a[3];

    const Complex<V> even_sum = s04 + s26, even_difference = s04 - s26;
    const Complex<V> odd_sum = s15 + s37, odd_difference = s15 - s37;
    a[0] = even_sum + odd_sum;
    a[4] = even_sum - odd_sum;
    a[2] = minus_i(even_difference, odd_difference);
    a[6] = plus_i(even_difference, odd_difference);

    const Complex<V> g0 = minus_i(d04, d26), g1 = plus_i(d04, d26);
    const Complex<V> u = minus_i(d15, d37), v = plus_i(d15, d37);
    // u is turned by sqrt(2) exp(-i pi/4), v by sqrt(2) exp(-3 i pi/4).
    const Complex<V> u_turned = {u.re + u.im, u.im - u.re};
    const Complex<V> v_turned = {v.im - v.re, -(v.re + v.im)};
    a[1] = madd_real(g0, sqrt_half, u_turned);
    a[5] = nmadd_real(g0, sqrt_half, u_turned);
    a[3] = madd_real(g1, sqrt_half, v_turned);
    a[7] = nmadd_real(g1, sqrt_half, v_turned);
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
