// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/elementary.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace specfast::engine {
namespace {

// Returns the sum of coefficients[i] x^i.
template <std::size_t kCount>
double polynomial(const double (&coefficients)[kCount], double x) {
  double sum = 0;
  for (std::size_t i = kCount; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
}

// ln 2 in two parts: multiples of the first one by exponents are exact.
constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;

// A number as the sum of two, the second of which is at most half an ulp of the first.
struct Pair {
  double high, low;
};

// Returns a + b, |a| >= |b|, without an error.
Pair ordered_sum(double a, double b) {
  const double high = a + b;
  return {high, b - (high - a)};
}

// Returns a + b without an error (D. Knuth, The Art of Computer Programming, volume 2).
Pair exact_sum(double a, double b) {
  const double high = a + b, b_part = high - a;
  return {high, (a - (high - b_part)) + (b - b_part)};
}

Pair operator+(Pair a, Pair b) {
  const Pair sum = exact_sum(a.high, b.high);
  return ordered_sum(sum.high, sum.low + (a.low + b.low));
}

Pair operator*(Pair a, Pair b) {
  const double high = a.high * b.high;
  const double low = std::fma(a.high, b.high, -high) + (a.high * b.low + a.low * b.high);
  return ordered_sum(high, low);
}

Pair operator/(Pair a, Pair b) {
  const double high = a.high / b.high;
  return ordered_sum(high, (std::fma(-high, b.high, a.high) + (a.low - high * b.low)) / b.high);
}

// Splits x into m 2^exponent, m from sqrt(1/2) to sqrt(2).
double mantissa_of(double x, int& exponent) {
  const double m = std::frexp(x, &exponent);
  if (m >= 0.70710678118654752) return m;
  --exponent;
  return 2 * m;
}

// Returns ln x with a relative error below 2^-66: ln m = 2 artanh s, s = (m - 1) / (m + 1).
Pair log_pair(double x) {
  constexpr double kFrom7[] = {2. / 7,  2. / 9,  2. / 11, 2. / 13, 2. / 15,
                               2. / 17, 2. / 19, 2. / 21, 2. / 23, 2. / 25};
  int exponent;
  const double m = mantissa_of(x, exponent);
  const Pair s = Pair{m - 1, 0} / exact_sum(m, 1), square = s * s;
  const Pair from5 =
      Pair{2, 0} / Pair{5, 0} + Pair{square.high * polynomial(kFrom7, square.high), 0};
  const Pair from3 = Pair{2, 0} / Pair{3, 0} + square * from5;
  const Pair log_m = s * (Pair{2, 0} + square * from3);
  const Pair e = {double(exponent), 0};
  return e * Pair{kLn2High, 0} + (e * Pair{kLn2Low, 0} + log_m);
}

// Splits e^x into 2^k (1 + the result), x.high from -746 to 710.
Pair less_one(Pair x, int& k) {
  constexpr double kFrom3[] = {1. / 6,        1. / 24,        1. / 120,       1. / 720,
                               1. / 5040,     1. / 40320,     1. / 362880,    1. / 3628800,
                               1. / 39916800, 1. / 479001600, 1. / 6227020800};
  constexpr double kPerLn2 = 1.4426950408889634;
  k = int(std::floor(x.high * kPerLn2 + 0.5));
  const Pair rest = Pair{x.high - k * kLn2High, 0} + Pair{-(k * kLn2Low), x.low};
  const Pair square = rest * rest;
  const double from3 = square.high * rest.high * polynomial(kFrom3, rest.high);
  return rest + (Pair{square.high / 2, square.low / 2} + Pair{from3, 0});
}

double exponential_of(Pair x) {
  int k;
  const Pair rest = less_one(x, k);
  const Pair sum = Pair{1, 0} + rest;
  return std::ldexp(sum.high, k);
}

}  // namespace

// Taylor series: the first term left out is below 2^-63.
double small_cosine(double x) {
  constexpr double kFrom4[] = {1. / 24,        -1. / 720,         1. / 40320,         -1. / 3628800,
                               1. / 479001600, -1. / 87178291200, 1. / 20922789888000};
  const double square = x * x, half = 0.5 * square,
               rest = square * square * polynomial(kFrom4, square);
  // What the first difference rounds away is added back.
  const double first = 1 - half;
  return first + ((1 - first - half) + rest);
}

double small_sine(double x) {
  constexpr double kFrom3[] = {
      -1. / 6,        1. / 120,        -1. / 5040,          1. / 362880,
      -1. / 39916800, 1. / 6227020800, -1. / 1307674368000, 1. / 355687428096000};
  const double square = x * x;
  return x + x * square * polynomial(kFrom3, square);
}

// ln(1 + x) = e ln 2 + ln m, m from sqrt(1/2) to sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)).
double log_of_one_plus(double x) {
  constexpr double kArtanh[] = {2. / 3,  2. / 5,  2. / 7,  2. / 9,  2. / 11, 2. / 13,
                                2. / 15, 2. / 17, 2. / 19, 2. / 21, 2. / 23, 2. / 25};
  const double sum = 1 + x;
  const double lost = sum > 2 ? 1 - (sum - x) : x - (sum - 1);
  int exponent;
  const double m = mantissa_of(sum, exponent);
  const double f = m - 1, s = f / (2 + f), square = s * s;
  // 2 s = f - s f, of which f is exact.
  const double log_m = f - s * (f - square * polynomial(kArtanh, square));
  return double(exponent) * kLn2High + (log_m + (double(exponent) * kLn2Low + lost / sum));
}

// Every difference below is exact.
double sine_of_half_turns(double numerator, double denominator) {
  double rest = std::fmod(numerator, 2 * denominator);
  const double sign = rest >= denominator ? -1 : 1;
  if (rest >= denominator) rest -= denominator;
  if (rest > denominator / 2) rest = denominator - rest;
  const bool is_steep = rest <= denominator / 4;
  if (!is_steep) rest = denominator / 2 - rest;
  const Pair angle = Pair{kPi, 0x1.1a62633145c07p-53} * (Pair{rest, 0} / Pair{denominator, 0});
  const double c = small_cosine(angle.high), s = small_sine(angle.high);
  return sign * (is_steep ? s + angle.low * c : c - angle.low * s);
}

double logarithm(double x) { return log_pair(x).high; }

double decimal_logarithm(double x) {
  constexpr Pair kPerLn10 = {0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
  return (log_pair(x) * kPerLn10).high;
}

double exponential(double x) { return exponential_of({x, 0}); }

double exponential_less_one(double x) {
  int k;
  const Pair rest = less_one({x, 0}, k);
  const double scale = std::ldexp(1.0, k);
  return (exact_sum(scale, -1) + Pair{scale * rest.high, scale * rest.low}).high;
}

double power(double base, double exponent) {
  if (exponent == 0.5) return std::sqrt(base);
  if (exponent == 0) return 1;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (base == 0) return exponent > 0 ? 0 : kInfinity;
  const Pair x = log_pair(base) * Pair{exponent, 0};
  if (x.high > 710) return kInfinity;
  return x.high < -746 ? 0 : exponential_of(x);
}

}  // namespace specfast::engine
