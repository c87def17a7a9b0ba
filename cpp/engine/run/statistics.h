// SPDX-License-Identifier: BSD-3-Clause
// Mean and deviation of values that become known bit by bit.
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/spec/config.h"

namespace specfast::engine {

// Some more values, `count` of them, behind `before` that are known.
struct Portion {
  double inverse_count;  // 1 / count
  double share;          // count / (before + count)
  double weight;         // before * share

  Portion(double before, double count)
      : inverse_count(1 / count), share(count / (before + count)), weight(before * share) {}
};

// The mean of the values that are known so far, and the sum of squared distances from it.
struct Statistics {
  double mean = 0, squares = 0;

  // Adds other values by theirs (T. Chan, G. Golub, R. LeVeque, 1979).
  void add(const Portion& portion, double other_mean, double other_squares) {
    const double distance = other_mean - mean;
    mean += distance * portion.share;
    squares += other_squares + distance * distance * portion.weight;
  }
};

// What the distances of so many values from their mean are divided by.
inline double deviation_of(const Config& config, const Statistics& statistics, int64_t count) {
  const double degrees = double(count - config.normalization_ddof);
  const double squares =
      std::isnan(statistics.squares) ? statistics.squares : std::max(statistics.squares, 0.0);
  const double variance = degrees > 0 ? squares / degrees : squares * 0;
  const double epsilon = config.normalization_epsilon;
  return config.normalization == Normalization::kStd ? std::sqrt(variance) + epsilon
                                                     : std::sqrt(variance + epsilon);
}

}  // namespace specfast::engine
