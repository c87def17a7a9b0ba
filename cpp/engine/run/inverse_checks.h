// SPDX-License-Identifier: BSD-3-Clause
// Checks of the arrays of calls that make signals of frames, and of their gradients: structures
// with num_batches, num_channels, num_frames, num_samples, and strides of bins.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/run/inverse.h"
#include "engine/run/job.h"

namespace specfast::engine {

inline void require_count(const char* name, int64_t value) {
  if (value >= 0) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(name) + " must not be negative, received " +
                                               name + "=" + std::to_string(value));
}

// Checks the numbers of a call, and returns how many signals it has.
template <typename Arrays>
int64_t checked_signals(const Config& config, const Arrays& arrays) {
  require_count("num_batches", arrays.num_batches);
  require_count("num_channels", arrays.num_channels);
  check_num_samples(config, arrays.num_frames, arrays.num_samples);
  return checked_multiply(arrays.num_batches, arrays.num_channels);
}

template <typename Arrays>
void check_bins(const Config& config, const char* name, const void* values, const Arrays& arrays) {
  const std::size_t bytes = element_bytes(config.precision);
  require_pointer(name, values, bytes);
  check_extent({{arrays.num_batches, arrays.batch_stride},
                {arrays.num_channels, arrays.channel_stride},
                {arrays.num_frames, arrays.frame_stride},
                {config.fft_length / 2 + 1, arrays.bin_stride}},
               bytes);
}

struct SampleStrides {
  int64_t batch, channel, sample;
};

template <typename Arrays>
void check_samples(const Config& config, const char* name, const void* values, const Arrays& arrays,
                   const SampleStrides& strides) {
  const std::size_t bytes = element_bytes(config.precision);
  require_pointer(name, values, bytes);
  check_extent({{arrays.num_batches, strides.batch},
                {arrays.num_channels, strides.channel},
                {arrays.num_samples, strides.sample}},
               bytes);
}

}  // namespace specfast::engine
