// SPDX-License-Identifier: BSD-3-Clause
// Elementary functions with the same bits on every machine. Those of the C library differ by its
// version and by the processor's instructions, and tables made of them tell settings apart: a
// stream's state is refused where they differ.
#pragma once

namespace specfast::engine {

constexpr double kPi = 3.14159265358979323846;

// Return cos(x) and sin(x), x in radians from 0 to pi / 4. Error: below 1 ulp.
double small_cosine(double x);
double small_sine(double x);

// Returns ln(1 + x), x >= 0 and finite. Error: below 2 ulp.
double log_of_one_plus(double x);

}  // namespace specfast::engine
