// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions with the same bits on every machine. Those of the C library differ by its
// version and by the processor's instructions, and tables made of them tell settings apart: a
// stream's state is refused where they differ. Of the C library only what IEEE 754 defines to the
// last bit is used: square roots, multiply-adds, remainders and exponents.
#pragma once

namespace specfast::engine {

constexpr double kPi = 3.14159265358979323846;

// Return cos(x) and sin(x), x in radians from 0 to pi / 4. Error: below 1 ulp.
double small_cosine(double x);
double small_sine(double x);

// Returns sin(pi numerator / denominator), numerator >= 0, denominator > 0, both finite and twice
// the denominator too. Error: below 2 ulp.
double sine_of_half_turns(double numerator, double denominator);

// Returns ln(1 + x), x >= 0 and finite. Error: below 2 ulp.
double log_of_one_plus(double x);

// Return ln x and log10 x, x > 0 and finite. Error: below 1 ulp; powers of ten that are exact give
// integers.
double logarithm(double x);
double decimal_logarithm(double x);

// Return e^x and e^x - 1, x from 0 to 709. Error: below 1 ulp.
double exponential(double x);
double exponential_less_one(double x);

// Returns base^exponent, base >= 0, both finite: infinite or 0 where it is beyond what a double
// holds. Error: below 1 ulp of a normal number.
double power(double base, double exponent);

}  // namespace specfast::engine
