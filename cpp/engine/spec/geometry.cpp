// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/geometry.h"

#include <algorithm>
#include <limits>

#include "engine/spec/config.h"
#include "engine/spec/modes.h"

namespace specfast::engine {
namespace {

// Zeros that "same" padding adds on both sides together.
int64_t same_padding(const Config& config, int64_t num_samples) {
  const int64_t frames = num_frames(config, num_samples);
  if (frames == 0) return 0;
  return std::max<int64_t>((frames - 1) * config.hop + config.frame_length - num_samples, 0);
}

}  // namespace

int64_t num_rows(const Config& config) {
  return config.mel ? config.num_mel_bins
                    : config.num_bins * traits_of(config.spectrum_op).rows_per_bin;
}

int64_t num_frames(const Config& config, int64_t num_samples) {
  if (num_samples <= 0 || num_samples > kMaxSamples) return 0;
  switch (config.padding) {
    case Padding::kValid:
      return num_samples < config.frame_length
                 ? 0
                 : (num_samples - config.frame_length) / config.hop + 1;
    case Padding::kSame:
      return (num_samples - 1) / config.hop + 1;
    default: {
      // fft_length / 2 on both sides: one sample short of a whole transform when fft_length is odd.
      const int64_t beyond_first = num_samples - config.fft_length % 2;
      return beyond_first / config.hop + 1;
    }
  }
}

int64_t left_padding(const Config& config, int64_t num_samples) {
  switch (config.padding) {
    case Padding::kValid:
      return 0;
    case Padding::kSame:
      return same_padding(config, num_samples) / 2;
    default: {
      const int64_t window_offset = (config.fft_length - config.frame_length) / 2;
      return config.fft_length / 2 - window_offset;
    }
  }
}

ReflectedRun reflected_run(int64_t index, int64_t num_samples) {
  if (num_samples == 1) return {0, 0, std::numeric_limits<int64_t>::max()};
  const int64_t last = num_samples - 1, period = 2 * last;
  index %= period;
  if (index < 0) index += period;
  if (index < last) return {index, 1, last - index};
  return {period - index, -1, period - index};
}

}  // namespace specfast::engine
