// SPDX-License-Identifier: BSD-3-Clause
// Largest errors of the elementary functions that tables are made of, against the C library in long
// double, where that is wider than double.
#include "engine/spec/elementary.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

namespace {

using namespace specfast::engine;

int failures = 0;

double ulps(double value, long double exact) {
  const double rounded = double(exact);
  if (value == rounded) return 0;
  if (!std::isfinite(value) || !std::isfinite(rounded)) return 1e9;
  int exponent;
  std::frexp(rounded, &exponent);
  const int last = std::max(exponent, std::numeric_limits<double>::min_exponent) - 53;
  return double(std::abs((long double)(value)-exact) / std::ldexp(1.0L, last));
}

// Compares at random places, which draw(random) returns.
template <typename Draw, typename Function, typename Exact>
void compare(const char* name, double bound, const Draw& draw, const Function& function,
             const Exact& exact) {
  std::mt19937_64 random(1);
  double largest = 0, at = 0;
  for (int i = 0; i < 200000; ++i) {
    const double x = draw(random), error = ulps(function(x), exact((long double)(x)));
    if (error > largest) {
      largest = error;
      at = x;
    }
  }
  const bool fails = !(largest <= bound);
  failures += fails;
  std::printf("%-22s %.3f ulp at %.17g%s\n", name, largest, at, fails ? "  TOO LARGE" : "");
}

auto between(double low, double high) {
  return [low, high](auto& random) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
}

// Any magnitude, and every eighth number close to 1, where logarithms are hardest.
double positive(std::mt19937_64& random) {
  if (random() % 8 == 0) return between(0.999, 1.001)(random);
  return std::ldexp(between(1, 2)(random), int(random() % 2098) - 1074);
}

void compare_powers() {
  for (const double exponent : {0.85, 0.1, 1.0, 2.0, -3.5, 100.0, 1e-20, 0.5}) {
    char name[40];
    std::snprintf(name, sizeof name, "power %g", exponent);
    compare(
        name, 1, between(0, 1), [exponent](double x) { return power(x, exponent); },
        [exponent](long double x) { return std::pow(x, (long double)(exponent)); });
  }
}

void check(const char* name, double value, double expected) {
  if (value == expected) return;
  ++failures;
  std::printf("%s is %.17g, not %.17g\n", name, value, expected);
}

void check_special_values() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check("0^0.85", power(0, 0.85), 0);
  check("0^0", power(0, 0), 1);
  check("0^-1", power(0, -1), kInfinity);
  check("1^1e30", power(1, 1e30), 1);
  check("2^1e30", power(2, 1e30), kInfinity);
  check("2^-1e30", power(2, -1e30), 0);
  check("ln 1", logarithm(1), 0);
  check("e^0", exponential(0), 1);
  check("e^0 - 1", exponential_less_one(0), 0);
  for (int i = -30; i <= 22; ++i) check("log10", decimal_logarithm(std::pow(10.0, i)), i);
  for (int i = 0; i < 9; ++i) check("sin(pi i)", std::abs(sine_of_half_turns(22.0 * i, 22)), 0);
  check("sin(pi / 2)", sine_of_half_turns(11, 22), 1);
  check("sin(3 pi / 2)", sine_of_half_turns(33, 22), -1);
}

}  // namespace

int main() {
  if (std::numeric_limits<long double>::digits < 64) return 77;
  constexpr long double kPiLong = 3.14159265358979323846264338327950288L;
  compare("small_cosine", 1, between(0, kPi / 4), small_cosine,
          [](long double x) { return std::cos(x); });
  compare("small_sine", 1, between(0, kPi / 4), small_sine,
          [](long double x) { return std::sin(x); });
  compare("log_of_one_plus", 2, between(0, 100), log_of_one_plus,
          [](long double x) { return std::log1p(x); });
  compare("logarithm", 1, positive, logarithm, [](long double x) { return std::log(x); });
  compare("decimal_logarithm", 1, positive, decimal_logarithm,
          [](long double x) { return std::log10(x); });
  compare("exponential", 1, between(0, 709), exponential,
          [](long double x) { return std::exp(x); });
  compare("exponential_less_one", 1, between(0, 709), exponential_less_one,
          [](long double x) { return std::expm1(x); });
  compare("exponential_less_one", 1, between(0, 4), exponential_less_one,
          [](long double x) { return std::expm1(x); });
  compare("exponential_less_one", 1, between(0, 1e-8), exponential_less_one,
          [](long double x) { return std::expm1(x); });
  for (const double q : {22.0, 7.3, 0.37}) {
    compare(
        "sine_of_half_turns", 2, between(0, q), [q](double x) { return sine_of_half_turns(x, q); },
        [q](long double x) {
          // Near pi the sine of a rounded angle has few digits.
          return std::sin(kPiLong * (x > q / 2 ? q - x : x) / q);
        });
  }
  compare_powers();
  check_special_values();
  return failures > 0;
}
