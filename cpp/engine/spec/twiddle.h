// SPDX-License-Identifier: BSD-3-Clause
// Tables of the own transform: radices, twiddle factors and the places where its output stands.
#pragma once

#include <cstdint>
#include <vector>

namespace specfast::engine {

// Radices of a complex transform of num_points in pass order: at least one of 2, 3, 4, 5 or 8, then
// a 4, which the untangling of the real spectrum absorbs. Empty if num_points has no such form.
std::vector<int64_t> factorize(int64_t num_points);

// cos and sin of 2 pi numerator / denominator, within 1 ULP, by reduction to the first octant.
struct Turn {
  double cosine, sine;
};
Turn turn(int64_t numerator, int64_t denominator);

// The place of output point k after in-place passes of these radices, decimated in frequency.
std::vector<uint32_t> output_places(const std::vector<int64_t>& radices, int64_t num_points);

}  // namespace specfast::engine
