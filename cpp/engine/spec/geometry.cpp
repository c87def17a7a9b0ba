// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/geometry.h"

#include <algorithm>
#include <limits>

#include "engine/spec/config.h"
#include "engine/spec/modes.h"

namespace specfast::engine {
namespace {

// Frames that have their span in the signal, padded by this many samples in all.
int64_t fitting_frames(const Config& config, int64_t num_samples, int64_t padding) {
  const int64_t beyond_first = num_samples + padding - config.frame_span;
  return beyond_first < 0 ? 0 : beyond_first / config.hop + 1;
}

// Frames before any is left out.
int64_t all_frames(const Config& config, int64_t num_samples) {
  switch (config.padding) {
    case Padding::kValid:
      return fitting_frames(config, num_samples, 0);
    case Padding::kSides:
      return fitting_frames(config, num_samples, 2 * config.pad_length);
    case Padding::kCenter:
      // fft_length / 2 on both sides: one sample short of a whole transform when fft_length is odd.
      return fitting_frames(config, num_samples, config.fft_length / 2 * 2);
    case Padding::kHops:
      return (num_samples + config.hop / 2) / config.hop;
    default:
      return (num_samples - 1) / config.hop + 1;
  }
}

// Zeros that "same" padding adds on both sides together.
int64_t same_padding(const Config& config, int64_t num_samples) {
  const int64_t frames = all_frames(config, num_samples);
  if (frames == 0) return 0;
  return std::max<int64_t>((frames - 1) * config.hop + config.frame_length - num_samples, 0);
}

}  // namespace

int64_t num_rows(const Config& config) {
  return num_static_rows(config) * (1 + config.delta_order);
}

int64_t num_static_rows(const Config& config) {
  if (!config.mel) return config.num_bins * traits_of(config.spectrum_op).rows_per_bin;
  if (config.num_cepstra > 0) return config.num_cepstra;
  return config.num_mel_bins + (config.energy != FrameEnergy::kNone);
}

int64_t num_frames(const Config& config, int64_t num_samples) {
  if (num_samples <= 0 || num_samples > kMaxSamples) return 0;
  return std::max<int64_t>(all_frames(config, num_samples) - config.drop_frames, 0);
}

int64_t num_valid_frames(const Config& config, int64_t num_samples) {
  return std::max<int64_t>(num_frames(config, num_samples) - config.masked_frames, 0);
}

int64_t left_padding(const Config& config, int64_t num_samples) {
  const int64_t window_offset = (config.frame_span - config.frame_length) / 2;
  switch (config.padding) {
    case Padding::kSame:
      return same_padding(config, num_samples) / 2;
    case Padding::kCenter:
      return config.fft_length / 2 - window_offset;
    case Padding::kSides:
      return config.pad_length - window_offset;
    case Padding::kHops:
      return config.frame_length / 2 - config.hop / 2;
    default:
      return -window_offset;
  }
}

bool left_padding_varies(const Config& config) {
  return config.padding == Padding::kSame &&
         left_padding(config, 1) != left_padding(config, config.hop);
}

int64_t latency_samples(const Config& config, int64_t left_padding) {
  const int64_t later = (config.drop_frames + config.masked_frames) * config.hop;
  int64_t counted = 1;
  switch (config.padding) {
    case Padding::kValid:
      counted = config.frame_span;
      break;
    case Padding::kSides:
      counted = config.frame_span - 2 * config.pad_length;
      break;
    case Padding::kCenter:
      counted = config.fft_length % 2;
      break;
    case Padding::kHops:
      counted = config.hop - config.hop / 2;
      break;
    default:
      break;
  }
  // Of a signal without a sample no frame is known.
  return std::max<int64_t>({config.frame_length - left_padding, counted + later, 1});
}

PaddedRun padded_run(PadMode mode, int64_t index, int64_t num_samples) {
  constexpr int64_t kForever = std::numeric_limits<int64_t>::max();
  const int64_t last = num_samples - 1;
  const int64_t count = index < 0 ? -index : kForever;
  if (mode == PadMode::kZeros) return {kNoSample, 0, count};
  if (mode == PadMode::kEdge || num_samples == 1) return {index < 0 ? 0 : last, 0, count};
  // The first and the last sample come once in a period, or twice.
  const int64_t repeated = mode == PadMode::kSymmetric ? 1 : 0;
  const int64_t period = 2 * (last + repeated);
  index %= period;
  if (index < 0) index += period;
  if (index < last + repeated) return {index, 1, last + repeated - index};
  const int64_t first = period - index - repeated;
  return {first, -1, first + repeated};
}

}  // namespace specfast::engine
