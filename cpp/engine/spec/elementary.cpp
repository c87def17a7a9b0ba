// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/elementary.h"

#include <cmath>
#include <cstddef>

namespace specfast::engine {
namespace {

// Returns the sum of coefficients[i] x^i.
template <std::size_t kCount>
double polynomial(const double (&coefficients)[kCount], double x) {
  double sum = 0;
  for (std::size_t i = kCount; i-- > 0;) sum = sum * x + coefficients[i];
  return sum;
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
  constexpr double kLn2High = 0x1.62e42fefa3800p-1, kLn2Low = 0x1.ef35793c76730p-45;
  constexpr double kArtanh[] = {2. / 3,  2. / 5,  2. / 7,  2. / 9,  2. / 11, 2. / 13,
                                2. / 15, 2. / 17, 2. / 19, 2. / 21, 2. / 23, 2. / 25};
  const double sum = 1 + x;
  const double lost = sum > 2 ? 1 - (sum - x) : x - (sum - 1);
  int exponent;
  double m = std::frexp(sum, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double f = m - 1, s = f / (2 + f), square = s * s;
  // 2 s = f - s f, of which f is exact.
  const double log_m = f - s * (f - square * polynomial(kArtanh, square));
  return double(exponent) * kLn2High + (log_m + (double(exponent) * kLn2Low + lost / sum));
}

}  // namespace specfast::engine
