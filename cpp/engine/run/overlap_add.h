// SPDX-License-Identifier: BSD-3-Clause
// How gradient.cpp cuts the frames of a signal.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/run/job.h"

namespace specfast::engine {

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

constexpr int64_t kMinSegmentFrames = 64;

// How the frames of one signal are cut; depends on the plan and the signal's length only.
struct Segments {
  int64_t frames;                     // of a segment but the last
  int64_t count;                      // of one signal
  int64_t overlap;                    // hops that the last frame of a segment shares with the next
  int64_t margin_left, margin_right;  // reflected samples

  template <typename T>
  Segments(const Config& config, const Job& job, const Width<T>& width) {
    const int64_t lanes = width.kernel->lanes;
    overlap = (config.frame_length - 1) / config.hop;
    frames = lanes * std::max(ceil_div(kMinSegmentFrames, lanes), ceil_div(4 * overlap, lanes));
    frames = std::min(frames, ceil_div(job.num_frames, lanes) * lanes);
    count = ceil_div(job.num_frames, frames);
    margin_left = margin_right = 0;
    if (config.padding == Padding::kCenter) {
      margin_left = job.left_padding;
      const int64_t end = (job.num_frames - 1) * config.hop + config.frame_length;
      margin_right = std::max<int64_t>(end - margin_left - job.batch.num_samples, 0);
    }
  }
};

}  // namespace specfast::engine
