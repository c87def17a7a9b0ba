// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions over lanes. Their largest errors over the whole range, subnormals included,
// which tests/kernels checks on every ISA, are:
//
// - log_in: 2 ULP; natural or decimal logarithm, or decibels; log(0) = -inf, log(x < 0) = NaN,
// log(inf) = inf
// - arc_tangent2: 2 ULP; special values as C99's atan2
// - to_power: 1 ULP, for x >= 0; special values as C99's pow
//
// NaN stays NaN, except that to_power(x, 0) = 1.
#pragma once

#include "kernels/lanes/lanes.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// The smallest normal number.
template <typename S>
constexpr S kSmallestNormal = S(sizeof(S) == 4 ? 0x1p-126 : 0x1p-1022);

// Stands for x = 2^exponent * (1 + fraction). The mantissa lies in [0.70, 1.5), so that the
// fraction is small on both sides of one.
template <typename V>
struct LogSplit {
  V fraction, exponent;
};

// Splits a positive normal x; of other values it makes garbage.
template <typename V>
SPECFAST_INLINE LogSplit<V> split_normal(V x) {
  using I = Int<V>;
  using IV = IntVec<V>;
  constexpr bool kIsFloat = sizeof(I) == 4;
  constexpr int kMantissaBits = kIsFloat ? 23 : 52;
  constexpr I kHalfSqrt2 = kIsFloat ? I(0x3f3504f3) : I(0x3fe6a09e667f3bcdLL);
  const IV bits = to_bits(x) - kHalfSqrt2;
  const IV mantissa = (bits & ((I(1) << kMantissaBits) - 1)) + kHalfSqrt2;
  return {from_bits<V>(mantissa) - Scalar<V>(1), convert_to<V>(bits >> kMantissaBits)};
}

// The units of a logarithm: the values of one natural unit and of one doubling. `doubling_high` has
// trailing zeros enough that its product with an exponent is exact; both parts are positive, so
// that an infinite exponent stays infinite.
template <typename S>
struct NaturalUnits {
  static constexpr S unit = 1, unit_low = 0;
  static constexpr S doubling_high =
      sizeof(S) == 4 ? S(0x1.62e4000000000p-1) : S(6.93147180369123816490e-01);
  static constexpr S doubling_low =
      sizeof(S) == 4 ? S(0x1.7f7d1cf79abcap-20) : S(1.90821492927058770002e-10);
};
// The units of natural logarithms of square roots are exactly half as large.
template <typename S>
struct HalfNaturalUnits {
  using Whole = NaturalUnits<S>;
  static constexpr S unit = Whole::unit / 2, unit_low = Whole::unit_low / 2;
  static constexpr S doubling_high = Whole::doubling_high / 2;
  static constexpr S doubling_low = Whole::doubling_low / 2;
};
template <typename S>
struct Log10Units {
  static constexpr S unit = S(0.434294481903251827651128918916605082L);
  static constexpr S unit_low = sizeof(S) == 4 ? S(-0x1.5b235ep-27) : S(0x1.95355baaafad3p-57);
  static constexpr S doubling_high = sizeof(S) == 4 ? S(0x1.344p-2) : S(0x1.34413509f4000p-2);
  static constexpr S doubling_low = sizeof(S) == 4 ? S(0x1.3509f8p-18) : S(0x1.cff7988f8959bp-41);
};
template <typename S>
struct DecibelUnits {
  static constexpr S unit = S(4.34294481903251827651128918916605082L);
  static constexpr S unit_low = sizeof(S) == 4 ? S(0x1.a709e6p-23) : S(-0x1.03p-53);
  static constexpr S doubling_high =
      sizeof(S) == 4 ? S(0x1.8150000000000p+1) : S(0x1.8151824c75800p+1);
  static constexpr S doubling_low =
      sizeof(S) == 4 ? S(0x1.824c7587eafd6p-15) : S(0x1.fabf59b5d80b8p-45);
};

// Returns the polynomial with these coefficients, highest power first and even in number, at x.
// Neighbours are joined first (Estrin's scheme): a single chain of additions would wait for itself.
template <typename V, int kCount>
SPECFAST_INLINE V polynomial(const Constants<V, kCount>& coefficients, V x, V x_square) {
  static_assert(kCount % 2 == 0);
  V terms[kCount / 2];
  for (int i = 0; i < kCount / 2; ++i)
    terms[i] = madd(coefficients[2 * i], x, coefficients[2 * i + 1]);
  V power = x_square;
  // The number of terms that are left; terms[0] is the highest.
  int count = kCount / 2;
  for (; count > 3; count = (count + 1) / 2, power = power * power) {
    // Terms are joined from the low end, so that the odd one out is the highest.
    for (int i = 0; i < count / 2; ++i) {
      terms[count - 1 - i] = madd(terms[count - 2 - 2 * i], power, terms[count - 1 - 2 * i]);
    }
    const int left = (count + 1) / 2;
    for (int i = 0; i < left; ++i)
      terms[i] = i == 0 && count % 2 ? terms[0] : terms[count - left + i];
  }
  V result = terms[0];
  for (int i = 1; i < count; ++i) result = madd(result, power, terms[i]);
  return result;
}

// Returns rest + unit * (log(1 + f) - f), with the lead that log_lead(f) gave.
//
// In float the tail is f^2 p(f), a near-minimax fit of relative error 2^-26.9
// (tools/fit_polynomials.py).
template <int kLanes>
SPECFAST_INLINE Vec<float, kLanes> log_lead(Vec<float, kLanes> f) {
  return f * f;
}
template <typename U, int kLanes>
SPECFAST_INLINE Vec<float, kLanes> add_log_tail(Vec<float, kLanes> f, Vec<float, kLanes> square,
                                                Vec<float, kLanes> rest) {
  using V = Vec<float, kLanes>;
  static constexpr Constants<V, 10> kCoefficients(
      {4.9058143e-02f, -1.0493273e-01f, 1.20827384e-01f, -1.2619036e-01f, 1.4221224e-01f,
       -1.6655765e-01f, 2.0001578e-01f, -2.5000238e-01f, 3.3333322e-01f, -5.0e-01f},
      U::unit);
  return madd(square, polynomial(kCoefficients, f, square), rest);
}

// In double, with s = f / (2 + f) and z = s^2, log(1 + f) = 2 atanh(s) = 2 s + s z p(z)
// = f - s (f - z p(z)), so that f itself stays apart (after FreeBSD's msun e_log.c); a near-minimax
// fit of relative error 2^-60 (tools/fit_polynomials.py).
template <int kLanes>
SPECFAST_INLINE Vec<double, kLanes> log_lead(Vec<double, kLanes> f) {
  return f / (2.0 + f);
}
template <typename U, int kLanes>
SPECFAST_INLINE Vec<double, kLanes> add_log_tail(Vec<double, kLanes> f, Vec<double, kLanes> s,
                                                 Vec<double, kLanes> rest) {
  using V = Vec<double, kLanes>;
  static constexpr Constants<V, 8> kCoefficients(
      {1.3604015707124079e-01, 1.321036048513262e-01, 1.5388834677801916e-01,
       1.8181738454723026e-01, 2.2222223037807243e-01, 2.857142856733919e-01, 4.00000000000078e-01,
       6.666666666666666e-01},
      U::unit);
  const V z = s * s;
  const V p = polynomial(kCoefficients, z, z * z);
  const V scaled = U::unit == 1 ? f : U::unit * f;
  return nmadd(s, nmadd(p, z, scaled), rest);
}

#if defined(__AVX512F__)
// The processor's own split knows all special values: infinity becomes 2^inf * 1, zero 2^-inf * 1,
// a negative number NaN.
constexpr bool kSplitsSpecialValues = true;
#define SPECFAST_AVX512_SPLIT(V, PREFIX, SUFFIX)                                               \
  SPECFAST_INLINE LogSplit<V> split_any(V x) {                                                 \
    const V mantissa = PREFIX##_getmant_##SUFFIX(x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan); \
    return {mantissa - Scalar<V>(1),                                                           \
            PREFIX##_getexp_##SUFFIX(x) - PREFIX##_getexp_##SUFFIX(mantissa)};                 \
  }
SPECFAST_AVX512_SPLIT(F32x16, _mm512, ps)
SPECFAST_AVX512_SPLIT(F64x8, _mm512, pd)
SPECFAST_AVX512_SPLIT(F32x4, _mm, ps)
SPECFAST_AVX512_SPLIT(F64x2, _mm, pd)
SPECFAST_AVX512_SPLIT(F64x4, _mm256, pd)
#undef SPECFAST_AVX512_SPLIT
#else
constexpr bool kSplitsSpecialValues = false;
// Splits zero, subnormals and positive normal x.
template <typename V>
SPECFAST_INLINE LogSplit<V> split_any(V x) {
  using S = Scalar<V>;
  constexpr bool kIsFloat = sizeof(S) == 4;
  constexpr S kScale = S(kIsFloat ? 0x1p32 : 0x1p64);
  const IntVec<V> subnormal = x < kSmallestNormal<S>;
  LogSplit<V> split = split_normal<V>(subnormal ? x * kScale : x);
  split.exponent = subnormal ? split.exponent - S(kIsFloat ? 32 : 64) : split.exponent;
  return split;
}
#endif

// A logarithm is computed in two halves of about equal length. With kAny x may be any number; else
// it is a positive normal number, infinity or NaN.
template <typename V>
struct BegunLog {
  V x;
  LogSplit<V> split;
  V lead;
};
template <bool kAny, typename V>
SPECFAST_INLINE BegunLog<V> begin_log(V x) {
  const LogSplit<V> split = kAny ? split_any(x) : split_normal(x);
  return {x, split, log_lead<kLanesOf<V>>(split.fraction)};
}
template <template <typename> class Units, typename V>
SPECFAST_INLINE V join_log(const BegunLog<V>& begun) {
  using U = Units<Scalar<V>>;
  static constexpr Constants<V, 4> kConstants(
      {U::doubling_high, U::doubling_low, U::unit, U::unit_low});
  const V doubling_high = kConstants[0], doubling_low = kConstants[1], unit = kConstants[2],
          unit_low = kConstants[3];
  const V fraction = begun.split.fraction, exponent = begun.split.exponent;
  // The chain from the fraction to the result is long, so all that can be is added beside it.
  V low = exponent * doubling_low;
  if constexpr (U::unit_low != 0) low = madd(fraction, unit_low, low);
  low = add_log_tail<U, kLanesOf<V>>(fraction, begun.lead, low);
  return madd(exponent, doubling_high, madd(fraction, unit, low));
}
template <template <typename> class Units, bool kAny, typename V>
SPECFAST_INLINE V finish_log(const BegunLog<V>& begun) {
  using S = Scalar<V>;
  constexpr S kInfinity = S(__builtin_inf()), kNaN = S(__builtin_nan(""));
  const V x = begun.x, result = join_log<Units>(begun);
  if constexpr (kSplitsSpecialValues && kAny) {
    return result;
  } else if constexpr (kAny) {
    const V special =
        x == S(0) ? broadcast<V>(-kInfinity) : (x == kInfinity ? x : broadcast<V>(kNaN));
    return ((x > S(0)) & (x < kInfinity)) ? result : special;
  } else {
    return x < kInfinity ? result : x;
  }
}

// Returns the logarithm of x in these units.
template <template <typename> class Units, typename V>
SPECFAST_INLINE V log_in(V x) {
  return finish_log<Units, true>(begin_log<true>(x));
}

// The smallest number that a logarithm is taken of, behind an addend if there may be one.
template <typename V, bool kHasAddend>
struct Floor {
  V least, addend;
  Scalar<V> smallest;  // that can come of it

  explicit Floor(Scalar<V> floor, Scalar<V> added = 0)
      : least(broadcast<V>(floor)),
        addend(broadcast<V>(added)),
        smallest(floor > added ? floor : added) {}
  SPECFAST_INLINE V of(V x) const { return at_least(kHasAddend ? x + addend : x, least); }
};

template <template <typename> class Units, bool kAny, typename V, typename Floors, typename Put>
SPECFAST_INLINE void put_logs(const Scalar<V>* rows, int64_t row_stride, int64_t num_rows,
                              const Floors& floor, const Put& put) {
  const auto begin = [rows, row_stride, floor](int64_t row) SPECFAST_INLINE_LAMBDA {
    return begin_log<kAny>(floor.of(load_unaligned<V>(rows + row * row_stride)));
  };
  BegunLog<V> begun = begin(0);
  for (int64_t row = 1; row < num_rows; ++row) {
    const BegunLog<V> next = begin(row);
    put(row - 1, finish_log<Units, kAny>(begun));
    begun = next;
  }
  put(num_rows - 1, finish_log<Units, kAny>(begun));
}

// Calls put(i, log_in of row i with the floor) for each row in order; there is at least one, and no
// number in it is negative. A row may be overwritten by its put. Every logarithm is begun before
// the one in front of it is finished: its operations are one long chain, and the processor, which
// looks ahead only so far, would run out of other work.
template <template <typename> class Units, typename V, typename Floors, typename Put>
SPECFAST_INLINE void log_rows(const Scalar<V>* rows, int64_t row_stride, int64_t num_rows,
                              const Floors& floor, const Put& put) {
  if constexpr (kSplitsSpecialValues) {
    put_logs<Units, true, V>(rows, row_stride, num_rows, floor, put);
  } else if (floor.smallest < kSmallestNormal<Scalar<V>>) {
    put_logs<Units, true, V>(rows, row_stride, num_rows, floor, put);
  } else {
    // With nearly every floor few special values are left.
    put_logs<Units, false, V>(rows, row_stride, num_rows, floor, put);
  }
}

// Returns (atan(t) / t - 1) / t^2, a polynomial in t^2 for |t| <= 0.55 (tools/fit_polynomials.py).
template <typename V>
SPECFAST_INLINE V arc_tangent_tail(V t_square) {
  constexpr float kFloat[] = {-2.8579969e-02f, 6.374503e-02f,  -8.8423796e-02f, 1.1086061e-01f,
                              -1.4284486e-01f, 1.9999976e-01f, -3.3333334e-01f};
  constexpr double kDouble[] = {2.615708664597285e-03,
                                -9.905879594656159e-03,
                                1.9443776660155638e-02,
                                -2.7494308705610686e-02,
                                3.28975051482476e-02,
                                -3.663379071378654e-02,
                                3.9921215578707876e-02,
                                -4.346643255894088e-02,
                                4.7617688958451546e-02,
                                -5.2631460722789035e-02,
                                5.882352174577884e-02,
                                -6.666666630534909e-02,
                                7.692307691114333e-02,
                                -9.090909090882936e-02,
                                1.1111111111110762e-01,
                                -1.4285714285714282e-01,
                                2.0e-01,
                                -3.333333333333333e-01};
  V p = V{};
  if constexpr (sizeof(Scalar<V>) == 4) {
    for (float c : kFloat) p = madd(p, t_square, broadcast<V>(c));
  } else {
    for (double c : kDouble) p = madd(p, t_square, broadcast<V>(c));
  }
  return p;
}

// Returns the angle of (x, y). With small <= large the two absolute values, atan(small / large) =
// atan(t) + eighths * pi/4, where t is small / large, or (small - large) / (small + large) beyond
// 0.55 (where the result stays above 1/2 and its rounding above that of t); then the octant is
// mirrored back, still in eighths, and added last. Not inlined, nor is to_power(): they are long,
// and a row function would hold eight copies.
template <typename V>
SPECFAST_NOINLINE V arc_tangent2(V y, V x) {
  using S = Scalar<V>;
  using IV = IntVec<V>;
  constexpr bool kIsFloat = sizeof(S) == 4;
  // The high part has trailing zeros enough that its multiples up to 4 are exact.
  constexpr S kQuarterPiHigh = S(kIsFloat ? 0x1.921fb00000000p-1 : 0x1.921fb54442d18p-1);
  constexpr S kQuarterPiLow = S(kIsFloat ? 0x1.5110b4611a626p-23 : 0x1.1a62633145c07p-55);
  constexpr S kSteepest = S(0.55);
  constexpr S kHuge = S(kIsFloat ? 0x1p125 : 0x1p1021), kTiny = S(kIsFloat ? 0x1p-64 : 0x1p-512);
  constexpr S kInfinity = S(__builtin_inf());
  constexpr Int<V> kSignBit = kIsFloat ? Int<V>(INT32_MIN) : Int<V>(INT64_MIN);

  const IV y_sign = to_bits(y) & kSignBit;
  const IV x_negative = to_bits(x) < 0;
  V ay = from_bits<V>(to_bits(y) & ~kSignBit), ax = from_bits<V>(to_bits(x) & ~kSignBit);
  const IV steep = ay > ax;
  V small = steep ? ax : ay, large = steep ? ay : ax;
  // Sums must not overflow, nor the comparison below lose its bits among the subnormals.
  const V scale = large > kHuge ? broadcast<V>(S(0.25))
                                : (large < kTiny ? broadcast<V>(1 / kTiny) : broadcast<V>(S(1)));
  small = small * scale;
  large = large * scale;
  const IV both_infinite = small == kInfinity;
  const IV beyond = (small > kSteepest * large) | both_infinite;
  V numerator = beyond ? small - large : small;
  V denominator = beyond ? small + large : large;
  numerator = both_infinite ? V{} : numerator;
  denominator = large == S(0) ? broadcast<V>(S(1)) : denominator;
  const V t = numerator / denominator;
  const V square = t * t;
  V angle = madd(t * square, arc_tangent_tail(square), t);
  V eighths = beyond ? broadcast<V>(S(1)) : V{};
  angle = steep ? -angle : angle;
  eighths = steep ? S(2) - eighths : eighths;
  angle = x_negative ? -angle : angle;
  eighths = x_negative ? S(4) - eighths : eighths;
  angle = eighths * kQuarterPiHigh + madd(eighths, broadcast<V>(kQuarterPiLow), angle);
  const V result = from_bits<V>(to_bits(angle) | y_sign);
  return ((x != x) | (y != y)) ? x + y : result;
}

// Returns exp(z) of double lanes: z = n ln 2 + r makes a Taylor polynomial in |r| <= ln 2 / 2, and
// n is added to the exponent in two halves, so that results beyond the range become infinity or
// zero by themselves.
template <typename V>
SPECFAST_INLINE V exponential(V z) {
  using IV = IntVec<V>;
  constexpr double kLog2e = 1.44269504088896340736;
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  constexpr double kRoundToInt = 0x1.8p52;
  constexpr double kInverseFactorials[] = {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                           1.0 / 5040,     1.0 / 720,     1.0 / 120,    1.0 / 24,
                                           1.0 / 6,        1.0 / 2,       1.0,          1.0};
  // Beyond this limit both halves overflow or underflow.
  constexpr double kLimit = 1400;
  z = at_most(at_least(z, broadcast<V>(-kLimit)), broadcast<V>(kLimit));
  const V n = (z * kLog2e + kRoundToInt) - kRoundToInt;
  const V r = nmadd(n, broadcast<V>(kLn2Low), nmadd(n, broadcast<V>(kLn2High), z));
  V p = broadcast<V>(1.0 / 479001600);
  for (double c : kInverseFactorials) p = madd(p, r, broadcast<V>(c));
  const IV whole = convert_to<IV>(n == n ? n : V{});
  const IV half = whole >> 1;
  const V scale1 = from_bits<V>((half + 1023) << 52),
          scale2 = from_bits<V>((whole - half + 1023) << 52);
  return n == n ? p * scale1 * scale2 : z;
}

// Returns x^exponent for x >= 0 and a finite exponent. float lanes go through double: log and exp
// there leave far less than half a float ULP. double has no wider type to go through; the C
// library's pow does it lane by lane.
template <typename V>
SPECFAST_NOINLINE V to_power(V x, double exponent) {
  using S = Scalar<V>;
  if (exponent == 0) return broadcast<V>(S(1));
  if constexpr (sizeof(S) == 4) {
    // Parts are registers of the machine: no wider vector has a fused multiply-add.
    constexpr int kMachine = SPECFAST_VECTOR_BYTES / 8;
    constexpr int kPartLanes = kLanesOf<V> < kMachine ? kLanesOf<V> : kMachine;
    using Part = Vec<float, kPartLanes>;
    V result;
    for (int first = 0; first < kLanesOf<V>; first += kPartLanes) {
      Part part;
      __builtin_memcpy(&part, reinterpret_cast<const float*>(&x) + first, sizeof(Part));
      const auto log = log_in<NaturalUnits>(convert_to<Vec<double, kPartLanes>>(part));
      part = convert_to<Part>(exponential(log * exponent));
      __builtin_memcpy(reinterpret_cast<float*>(&result) + first, &part, sizeof(Part));
    }
    return result;
  } else {
    return map_lanes(x, [exponent](double lane) { return power_of(lane, exponent); });
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
