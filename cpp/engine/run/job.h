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
  int64_t num_signals;
  int64_t num_frames;
  int64_t num_tiles;  // of one signal
  int64_t left_padding;

  bool is_empty() const { return num_signals == 0 || num_frames == 0; }

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

// Writes samples [begin, begin + count) of the padded signal, scaled, to `to`.
template <typename In, typename T>
void stage_samples(const In* signal, const specfast_batch& batch, Padding padding, int64_t begin,
                   int64_t count, T* to) {
  const T scale = scale_of<T>(batch.in_scale);
  const int64_t stride = batch.in_sample_stride, num_samples = batch.num_samples;
  const auto pad = [=](int64_t from, int64_t end) {
    if (padding != Padding::kCenter) {
      std::fill(to + from, to + end, T(0));
      return;
    }
    for_each_reflected_run(begin + from, begin + end, num_samples,
                           [=](int64_t index, const ReflectedRun& run) {
                             copy_samples(signal + run.first * stride, run.step * stride, run.count,
                                          to + (index - begin), scale);
                           });
  };
  const int64_t inside_begin = std::clamp<int64_t>(-begin, 0, count);
  const int64_t inside_end = std::clamp<int64_t>(num_samples - begin, inside_begin, count);
  pad(0, inside_begin);
  if (inside_end > inside_begin) {
    copy_samples(signal + (begin + inside_begin) * stride, stride, inside_end - inside_begin,
                 to + inside_begin, scale);
  }
  pad(inside_end, count);
}

}  // namespace specfast::engine
