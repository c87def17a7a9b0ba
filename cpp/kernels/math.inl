// SPDX-License-Identifier: BSD-3-Clause
// Logarithms over lanes. Included inside the namespace of one ISA.
//
// natural_log: at most 1 ULP (float and double) over all positive finite values, subnormals included; log(0) = -inf,
// log(x < 0) = NaN, log(inf) = inf, NaN stays. tests/kernels checks these figures on every ISA.

// x = 2^exponent * (1 + fraction). The mantissa lies in [0.70, 1.5), so that the fraction is small on both sides of one.
template <typename V>
struct LogSplit {
  V fraction, exponent;
};

// For positive normal x; garbage otherwise.
template <typename V>
SPECFAST_INLINE LogSplit<V> split_normal(V x) {
  using I = Int<V>;
  using IV = IntVec<V>;
  constexpr bool kIsFloat = sizeof(I) == 4;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr I kHalfSqrt2 = kIsFloat ? I(0x3f3504f3) : I(0x3fe6a09e667f3bcdLL);
  const IV bits = reinterpret_cast<IV>(x) - kHalfSqrt2;
  const IV mantissa = (bits & ((I(1) << kMantissaBits) - 1)) + kHalfSqrt2;
  return {reinterpret_cast<V>(mantissa) - Scalar<V>(1), __builtin_convertvector(bits >> kMantissaBits, V)};
}

// float: log(1 + f) = f + f^2 p(f), a near-minimax fit of relative error 2^-27.6 (tools/fit_log.py).
template <int kLanes>
SPECFAST_INLINE Vec<float, kLanes> join_log(LogSplit<Vec<float, kLanes>> split) {
  using V = Vec<float, kLanes>;
  constexpr float kCoefficients[] = {-1.04635254e-01f, 1.22068614e-01f, -1.26605332e-01f, 1.42048955e-01f, -1.66497275e-01f,
                                     2.00023189e-01f,  -2.50005007e-01f, 3.33333105e-01f, -4.99999970e-01f};
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const V f = split.fraction;
  V p = broadcast<V>(4.73749451e-02f);
  for (float c : kCoefficients) p = madd(p, f, broadcast<V>(c));
  const V tail = madd(f * f, p, split.exponent * kLn2Low);
  return madd(split.exponent, broadcast<V>(kLn2High), f + tail);
}

// double: with s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + R(s^2)): scheme and coefficients of FreeBSD's
// msun e_log.c.
template <int kLanes>
SPECFAST_INLINE Vec<double, kLanes> join_log(LogSplit<Vec<double, kLanes>> split) {
  using V = Vec<double, kLanes>;
  constexpr double kCoefficients[] = {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                                      2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  const V f = split.fraction;
  const V s = f / (2.0 + f);
  const V z = s * s;
  V r = broadcast<V>(1.479819860511658591e-01);
  for (double c : kCoefficients) r = madd(r, z, broadcast<V>(c));
  const V half_square = 0.5 * f * f;
  const V tail = half_square - madd(s, madd(r, z, half_square), split.exponent * kLn2Low);
  return split.exponent * kLn2High - (tail - f);
}

template <typename V>
SPECFAST_INLINE V natural_log(V x) {
  using S = Scalar<V>;
  constexpr bool kIsFloat = sizeof(S) == 4;
  constexpr S kInfinity = S(__builtin_inf()), kNaN = S(__builtin_nan(""));
  constexpr S kSmallestNormal = S(kIsFloat ? 0x1p-126 : 0x1p-1022), kScale = S(kIsFloat ? 0x1p32 : 0x1p64);
  const IntVec<V> subnormal = x < kSmallestNormal;
  LogSplit<V> split = split_normal<V>(subnormal ? x * kScale : x);
  split.exponent = subnormal ? split.exponent - S(kIsFloat ? 32 : 64) : split.exponent;
  const V special = x == S(0) ? broadcast<V>(-kInfinity) : (x == kInfinity ? x : broadcast<V>(kNaN));
  return ((x > S(0)) & (x < kInfinity)) ? join_log<kLanesOf<V>>(split) : special;
}

#if defined(__AVX512F__)
// The processor's own split knows all special values: infinity becomes 2^inf * 1, zero 2^-inf * 1, a negative number NaN.
#define SPECFAST_AVX512_LOG(V, PREFIX, SUFFIX)                                                                        \
  template <>                                                                                                        \
  SPECFAST_INLINE V natural_log<V>(V x) {                                                                            \
    const V mantissa = PREFIX##_getmant_##SUFFIX(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);                       \
    const V exponent = PREFIX##_getexp_##SUFFIX(x) - PREFIX##_getexp_##SUFFIX(mantissa);                             \
    return join_log<kLanesOf<V>>({mantissa - Scalar<V>(1), exponent});                                              \
  }
SPECFAST_AVX512_LOG(F32x16, _mm512, ps)
SPECFAST_AVX512_LOG(F64x8, _mm512, pd)
SPECFAST_AVX512_LOG(F32x4, _mm, ps)
SPECFAST_AVX512_LOG(F64x2, _mm, pd)
#undef SPECFAST_AVX512_LOG
template <typename V>
constexpr bool kCheapSpecialValues = true;
#else
template <typename V>
constexpr bool kCheapSpecialValues = false;
#endif

// natural_log of max(x, floor). Where the floor is a normal number, as it nearly always is, few special values are left.
template <typename V>
SPECFAST_INLINE V natural_log_at_least(V x, Scalar<V> floor) {
  using S = Scalar<V>;
  x = at_least(x, broadcast<V>(floor));
  if (kCheapSpecialValues<V> || floor < S(sizeof(S) == 4 ? 0x1p-126 : 0x1p-1022)) return natural_log(x);
  return x < S(__builtin_inf()) ? join_log<kLanesOf<V>>(split_normal(x)) : x;
}
