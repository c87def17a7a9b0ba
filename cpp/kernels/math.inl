// SPDX-License-Identifier: BSD-3-Clause
// Logarithms over lanes. Included inside the namespace of one ISA.
//
// natural_log: float at most 1.5 ULP, double at most 1 ULP, over all positive finite values, subnormals included.
// log(0) = -inf, log(x < 0) = NaN, log(inf) = inf, NaN stays.

// The mantissa lies in [sqrt(1/2), sqrt(2)) so that the polynomial's argument is centred on zero.
template <typename V>
struct LogSplit {
  V fraction;  // mantissa - 1
  V exponent;
};

template <typename V>
SPECFAST_INLINE LogSplit<V> split_for_log(V x) {
  using S = Scalar<V>;
  using I = Int<V>;
  using IV = IntVec<V>;
  constexpr bool kIsFloat = sizeof(S) == 4;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr I kHalfSqrt2 = kIsFloat ? I(0x3f3504f3) : I(0x3fe6a09e667f3bcdLL);
  constexpr S kSmallestNormal = S(kIsFloat ? 0x1p-126 : 0x1p-1022);
  constexpr S kSubnormalScale = S(kIsFloat ? 0x1p32 : 0x1p64);
  constexpr I kSubnormalShift = kIsFloat ? 32 : 64;

  const IV subnormal = x < kSmallestNormal;
  x = subnormal ? x * kSubnormalScale : x;
  const IV bits = reinterpret_cast<IV>(x) - kHalfSqrt2;
  const IV exponent = (bits >> kMantissaBits) - (subnormal & kSubnormalShift);
  const IV mantissa = (bits & ((I(1) << kMantissaBits) - 1)) + kHalfSqrt2;
  return {reinterpret_cast<V>(mantissa) - S(1), __builtin_convertvector(exponent, V)};
}

template <typename V>
SPECFAST_INLINE V with_log_special_values(V result, V x) {
  using S = Scalar<V>;
  constexpr S kInfinity = S(__builtin_inf());
  const V special = x == S(0) ? broadcast<V>(-kInfinity) : (x == kInfinity ? x : broadcast<V>(S(__builtin_nan(""))));
  return ((x > S(0)) & (x < kInfinity)) ? result : special;
}

// log(1 + f) = f - f^2/2 + f^3 p(f); p is a near-minimax fit of relative error 2^-28 (tools/fit_log.py).
template <int kLanes>
SPECFAST_INLINE Vec<float, kLanes> natural_log_finite(LogSplit<Vec<float, kLanes>> split) {
  using V = Vec<float, kLanes>;
  constexpr float kCoefficients[] = {-0.11675628f, 0.11888190f,  -0.12405594f, 0.14219549f,
                                     -0.16667995f, 0.20002119f, -0.25000009f, 0.33333313f};
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const V f = split.fraction;
  V p = broadcast<V>(0.06746551f);
  for (float c : kCoefficients) p = madd(p, f, broadcast<V>(c));
  const V square = f * f;
  V tail = madd(square * f, p, split.exponent * kLn2Low);
  tail = nmadd(broadcast<V>(0.5f), square, tail);
  return madd(split.exponent, broadcast<V>(kLn2High), f + tail);
}

// With s = f / (2 + f): log(1 + f) = 2 atanh(s) = f - s (f - R), after the FreeBSD msun e_log.c scheme; its coefficients.
template <int kLanes>
SPECFAST_INLINE Vec<double, kLanes> natural_log_finite(LogSplit<Vec<double, kLanes>> split) {
  using V = Vec<double, kLanes>;
  constexpr double kCoefficients[] = {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                                      2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  const V f = split.fraction;
  const V s = f / (2.0 + f);
  const V z = s * s;
  V r = broadcast<V>(1.479819860511658591e-01);
  for (double c : kCoefficients) r = madd(r, z, broadcast<V>(c));
  r = r * z;
  const V half_square = 0.5 * f * f;
  const V tail = half_square - madd(s, half_square + r, split.exponent * kLn2Low);
  return split.exponent * kLn2High - (tail - f);
}

template <typename V>
SPECFAST_INLINE V natural_log(V x) {
  return with_log_special_values(natural_log_finite<kLanesOf<V>>(split_for_log(x)), x);
}
