// SPDX-License-Identifier: BSD-3-Clause
// Mean and deviation of values that become known bit by bit.
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/spec/config.h"

namespace specfast::engine {

// The number, mean and sum of squared distances from it of values that are known so far.
struct Statistics {
  double count = 0, mean = 0, squares = 0;

  // Adds other values by theirs (T. Chan, G. Golub, R. LeVeque, 1979).
  void add(double other_count, double other_mean, double other_squares) {
    const double total = count + other_count, distance = other_mean - mean;
    mean += distance * (other_count / total);
    squares += other_squares + distance * distance * (count * other_count / total);
    count = total;
  }
};

// What the distances from the mean are divided by.
inline double deviation_of(const Config& config, const Statistics& statistics) {
  const double degrees = statistics.count - double(config.normalization_ddof);
  const double squares =
      std::isnan(statistics.squares) ? statistics.squares : std::max(statistics.squares, 0.0);
  const double variance = degrees > 0 ? squares / degrees : squares * 0;
  const double epsilon = config.normalization_epsilon;
  return config.normalization == Normalization::kStd ? std::sqrt(variance) + epsilon
                                                      : std::sqrt(variance + epsilon);
}

}  // namespace specfast::engine
