// SPDX-License-Identifier: BSD-3-Clause
// The signals of a call: what the caller describes, checked, and its samples, padded and
// contiguous.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "engine/plan/plan.h"
#include "engine/run/staging.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {

// Validated sizes and strides of one call.
struct Job {
  const specfast_batch& batch;
  const Config& config;
  int64_t num_signals;
  int64_t num_frames;  // of each signal in the output
  int64_t num_tiles;   // of one signal

  bool is_empty() const { return num_signals == 0 || num_frames == 0; }

  int64_t num_samples_of(int64_t signal) const {
    return batch.lengths ? batch.lengths[signal] : batch.num_samples;
  }
  // Returns how many frames of a signal, from the first on, are computed.
  int64_t valid_frames_of(int64_t signal) const {
    return std::min(num_valid_frames(config, num_samples_of(signal)), num_frames);
  }
  int64_t left_padding_of(int64_t signal) const {
    return left_padding(config, num_samples_of(signal));
  }
  template <typename In>
  const In* input_of(int64_t signal) const {
    if (batch.starts) return static_cast<const In*>(batch.starts[signal]);
    return signal_address(static_cast<const In*>(batch.input), signal, batch.in_batch_stride,
                          batch.in_channel_stride);
  }

  template <typename Address>
  Address* signal_address(Address* base, int64_t signal, int64_t batch_stride,
                          int64_t channel_stride) const {
    if (batch.num_channels == 1) return base + signal * batch_stride;  // spares two divisions
    return base + signal / batch.num_channels * batch_stride +
           signal % batch.num_channels * channel_stride;
  }
};

std::size_t element_bytes(Precision precision);
// Returns the size of one sample of a specfast_dtype.
std::size_t input_bytes(int32_t dtype);

// Tells whether the byte distance that indices up to count - 1 can reach fits, for every axis and
// in all.
bool reach_fits(std::initializer_list<std::pair<int64_t, int64_t>> counts_and_strides,
                std::size_t bytes) noexcept;

// Strides of an array of frames: the output of a call, or the gradient of one.
struct FrameStrides {
  int64_t batch, channel, frame, row;
};

// All of these throw Error where the caller is at fault. check_input leaves the output of the batch
// alone.
Job check_input(const Plan& plan, const specfast_batch& batch, int64_t lanes);
// The same for any plan of this configuration, by tiles of `lanes` frames, for the types of samples
// up to `last_dtype`.
Job check_input(const Config& config, const specfast_batch& batch, int64_t lanes,
                int32_t last_dtype);
// Checks an array of the frames of a call that has some.
void check_frames(const char* name, const void* values, const Plan& plan, const Job& job,
                  const FrameStrides& strides);
void check_frames(const char* name, const void* values, std::size_t bytes, int64_t num_rows,
                  const Job& job, const FrameStrides& strides);
// Checks the place where the spectra of signals of this length are kept.
void check_kept(const Plan& plan, int64_t num_samples, const void* kept);
void check_extent(std::initializer_list<std::pair<int64_t, int64_t>> counts_and_strides,
                  std::size_t bytes);

// Reads samples of a signal, scaled and, with preemphasis of the whole signal, filtered.
template <typename In, typename T>
class SampleReader {
 public:
  SampleReader(const In* signal, const specfast_batch& batch, const Config& config)
      : signal_(signal),
        stride_(batch.in_sample_stride),
        filters_(config.filters_signal()),
        filter_{scale_of<T>(batch.in_scale), T(config.preemphasis)} {}

  // Writes samples first, first + step, ..., `count` of them, to `to`.
  void operator()(int64_t first, int64_t step, int64_t count, T* to) const {
    if (filters_) {
      copy_filtered(signal_, stride_, first, step, count, to, filter_);
    } else {
      copy_samples(signal_ + first * stride_, step * stride_, count, to, filter_.scale);
    }
  }

 private:
  const In* signal_;
  int64_t stride_;
  bool filters_;
  SignalFilter<T> filter_;
};

// Writes samples [begin, begin + count) of a padded signal, scaled and, where the configuration
// says so, filtered, to `to`.
template <typename In, typename T>
void stage_samples(const Job& job, int64_t signal, int64_t begin, int64_t count, T* to) {
  const Config& config = job.config;
  const SampleReader<In, T> read(job.input_of<In>(signal), job.batch, config);
  const int64_t num_samples = job.num_samples_of(signal);
  const auto pad = [&](int64_t from, int64_t end) {
    for_each_padded_run(config.pad_mode, begin + from, begin + end, num_samples,
                        [&](int64_t index, const PaddedRun& run) {
                          T* const place = to + (index - begin);
                          if (run.first == kNoSample) {
                            std::fill(place, place + run.count, T(0));
                          } else {
                            read(run.first, run.step, run.count, place);
                          }
                        });
  };
  const int64_t inside_begin = std::clamp<int64_t>(-begin, 0, count);
  const int64_t inside_end = std::clamp<int64_t>(num_samples - begin, inside_begin, count);
  pad(0, inside_begin);
  if (inside_end > inside_begin)
    read(begin + inside_begin, 1, inside_end - inside_begin, to + inside_begin);
  pad(inside_end, count);
}

}  // namespace specfast::engine
