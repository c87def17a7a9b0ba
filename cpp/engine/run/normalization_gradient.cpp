// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/normalization_gradient.h"

#include "engine/base/parallel.h"
#include "engine/run/statistics.h"

namespace specfast::engine {
namespace {

// Replaces the values v of a row by the gradient with respect to them. With d the deviation that
// divides, and g the gradient of the results, it is
//
//   (g - mean g) / d - (v - mean v) sum(g (v - mean v)) / ((n - ddof) s d^2)
//
// where s is what d is the root of: the standard deviation, or d itself.
template <typename T>
void pull_back_row(const Config& config, int64_t num_frames, const T* cotangent, int64_t stride,
                   T* values) {
  Statistics statistics;
  double total = 0, product = 0;
  for (int64_t f = 0; f < num_frames; ++f) {
    statistics.add(Portion(double(f), 1), double(values[f]), 0);
    total += double(cotangent[f * stride]);
  }
  for (int64_t f = 0; f < num_frames; ++f)
    product += double(cotangent[f * stride]) * (double(values[f]) - statistics.mean);
  const double deviation = deviation_of(config, statistics, num_frames);
  const double degrees = double(num_frames) - double(config.normalization_ddof);
  const double root = config.normalization == Normalization::kStd
                          ? deviation - config.normalization_epsilon
                          : deviation;
  const double denominator = degrees * root * deviation * deviation;
  const double slope = denominator > 0 ? product / denominator : 0;
  for (int64_t f = 0; f < num_frames; ++f) {
    const double own = double(cotangent[f * stride]) - total / double(num_frames);
    values[f] = T(own / deviation - (double(values[f]) - statistics.mean) * slope);
  }
}

}  // namespace

template <typename T>
void normalization_gradient(const Config& config, const Job& job, int64_t num_rows,
                            const specfast_gradient& gradient, int num_threads,
                            std::vector<T>& values) {
  parallel_for(job.num_signals * num_rows, 1, num_threads, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* const cotangent =
          job.signal_address(static_cast<const T*>(gradient.cotangent), row / num_rows,
                             gradient.cotangent_batch_stride, gradient.cotangent_channel_stride) +
          row % num_rows * gradient.cotangent_row_stride;
      pull_back_row(config, job.num_frames, cotangent, gradient.cotangent_frame_stride,
                    values.data() + row * job.num_frames);
    }
  });
}

template void normalization_gradient(const Config&, const Job&, int64_t, const specfast_gradient&,
                                     int, std::vector<float>&);
template void normalization_gradient(const Config&, const Job&, int64_t, const specfast_gradient&,
                                     int, std::vector<double>&);

}  // namespace specfast::engine
