// SPDX-License-Identifier: BSD-3-Clause
// What the library makes of a problem.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "problem.h"

namespace differential {

// How a computation differs from that of the problem itself.
struct Variant {
  // specfast_dtype of the computation.
  std::int32_t dtype;
  // Each number that is given is multiplied by 1 + size or 1 - size, by this seed; 0: by 1.
  std::uint64_t seed = 0;
  double size = 0;
};

struct Result {
  std::string name;
  // So many values one after the other share a peak: the rows of a frame, the samples of a signal.
  std::int64_t frame_size = 0;
  std::vector<double> values;
};

// Also checks that streams give the bits of one call, and throws std::runtime_error if they do not.
std::vector<Result> compute(const Problem& problem, const Variant& variant);

}  // namespace differential
