// SPDX-License-Identifier: BSD-3-Clause
// Frames that overlap are added to the samples of signals, by several threads and yet in an order
// of its own for every sum.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/checked.h"
#include "engine/plan/plan.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {

constexpr int64_t kMinSegmentFrames = 64;

// How the frames of one signal are cut into segments of whole tiles. It depends on the plan and the
// signal's length only.
struct Segments {
  int64_t frames;                     // of a segment but the last
  int64_t count;                      // of one signal
  int64_t overlap;                    // hops that the last frame of a segment shares with the next
  int64_t margin_left, margin_right;  // samples of a padding that repeats others

  template <typename T>
  Segments(const Config& config, const Job& job, const TileVariant<T>& variant) {
    const int64_t lanes = variant.kernel->lanes;
    overlap = (config.frame_length - 1) / config.hop;
    frames = lanes * std::max(ceil_div(kMinSegmentFrames, lanes), ceil_div(4 * overlap, lanes));
    frames = std::min(frames, round_up(job.num_frames, lanes));
    count = ceil_div(job.num_frames, frames);
    margin_left = margin_right = 0;
    if (config.pad_mode != PadMode::kZeros) {
      margin_left = std::max<int64_t>(job.left_padding_of(0), 0);
      const int64_t end = (job.num_frames - 1) * config.hop + config.frame_length;
      margin_right = std::max<int64_t>(end - job.left_padding_of(0) - job.batch.num_samples, 0);
    }
  }
};

// One thread adds the tiles of a segment in order. The hops of a segment are its own; what its last
// frames add to the next segment's hops waits in a buffer (`tails_`), and so does what falls on
// reflected samples (`margins_`), until all segments are done. So every sum has a fixed order on
// any number of threads.
template <typename T>
class OverlapAdd {
 public:
  // `row_samples`: how many samples of a hop frames reach, min(hop, frame_length). Nothing is added
  // if the gradient of the signal is not asked for.
  OverlapAdd(const Config& config, const Job& job, const Segments& segments, int64_t row_samples,
             const specfast_gradient& gradient)
      : config_(config),
        job_(job),
        segments_(segments),
        row_samples_(row_samples),
        gradient_(gradient) {}

  // Allocates the buffers.
  void prepare() {
    const int64_t num_segments = job_.num_signals * segments_.count;
    tails_.assign(std::size_t(checked_multiply(num_segments, segments_.overlap * row_samples_)),
                  T(0));
    margins_.assign(std::size_t(checked_multiply(job_.num_signals,
                                                 segments_.margin_left + segments_.margin_right)),
                    T(0));
  }

  // Clears the samples that the hops of a segment begin at; the first segment has all from the
  // beginning, the last all to the end.
  void clear_own_samples(int64_t signal, int64_t segment) const {
    const auto begin_of = [this](int64_t s) -> int64_t {
      if (s == 0) return 0;
      const int64_t begin = s * segments_.frames * config_.hop - job_.left_padding_of(0);
      return std::clamp<int64_t>(begin, 0, job_.batch.num_samples);
    };
    const int64_t end =
        segment + 1 == segments_.count ? job_.batch.num_samples : begin_of(segment + 1);
    T* const to = address_of(signal);
    for (int64_t i = begin_of(segment); i < end; ++i) to[i * gradient_.signal_sample_stride] = T(0);
  }

  // Adds the hops [first, first + count) that a tile of a segment gives back.
  void add_hops(int64_t signal, int64_t segment, int64_t first, int64_t count, const T* from) {
    const int64_t end =
        segment + 1 == segments_.count ? first + count : (segment + 1) * segments_.frames;
    const int64_t own = std::min(count, end - first);
    add_hops_to_signal(signal, first, own, from);
    T* const tail = tail_of(signal, segment);
    for (int64_t i = own * row_samples_; i < count * row_samples_; ++i)
      tail[i - (end - first) * row_samples_] += from[i];
  }

  // Adds what waited. `for_each(count, body)` calls body(thread, i) for all i, on any thread.
  template <typename ForEach>
  void finish(const ForEach& for_each) {
    if (segments_.overlap > 0) {
      for_each(job_.num_signals * segments_.count, [this](int, int64_t index) {
        const int64_t signal = index / segments_.count, segment = index % segments_.count;
        if (segment + 1 == segments_.count) return;
        const int64_t first = (segment + 1) * segments_.frames;
        const int64_t hops = job_.num_frames + segments_.overlap - first;
        add_hops_to_signal(signal, first, std::min(segments_.overlap, hops),
                           tail_of(signal, segment));
      });
    }
    if (margins_.empty()) return;
    for_each(job_.num_signals, [this](int, int64_t signal) { fold_margins(signal); });
  }

 private:
  T* address_of(int64_t signal) const {
    return job_.signal_address(static_cast<T*>(gradient_.signal), signal,
                               gradient_.signal_batch_stride, gradient_.signal_channel_stride);
  }

  T* tail_of(int64_t signal, int64_t segment) {
    return tails_.data() + (signal * segments_.count + segment) * segments_.overlap * row_samples_;
  }

  // Adds to samples [begin, begin + count) of the padded signal; zero padding receives nothing.
  void add_samples(int64_t signal, int64_t begin, int64_t count, const T* from) {
    const int64_t num_samples = job_.batch.num_samples, stride = gradient_.signal_sample_stride;
    T* const margin = margins_.data() + signal * (segments_.margin_left + segments_.margin_right);
    const int64_t inside_begin = std::clamp<int64_t>(-begin, 0, count);
    const int64_t inside_end = std::clamp<int64_t>(num_samples - begin, inside_begin, count);
    if (segments_.margin_left > 0) {
      for (int64_t i = 0; i < inside_begin; ++i)
        margin[segments_.margin_left + begin + i] += from[i];
    }
    T* const to = address_of(signal);
    if (stride == 1) {
      for (int64_t i = inside_begin; i < inside_end; ++i) to[begin + i] += from[i];
    } else {
      for (int64_t i = inside_begin; i < inside_end; ++i) to[(begin + i) * stride] += from[i];
    }
    if (segments_.margin_right > 0) {
      T* const right = margin + segments_.margin_left;
      for (int64_t i = inside_end; i < count; ++i) right[begin + i - num_samples] += from[i];
    }
  }

  // Adds hops [first, first + count) of a signal, row_samples_ samples each.
  void add_hops_to_signal(int64_t signal, int64_t first, int64_t count, const T* from) {
    const int64_t begin = first * config_.hop - job_.left_padding_of(0);
    if (row_samples_ == config_.hop) {
      const int64_t end =
          (job_.num_frames - 1) * config_.hop + config_.frame_length - job_.left_padding_of(0);
      return add_samples(signal, begin, std::min(count * row_samples_, end - begin), from);
    }
    for (int64_t hop = 0; hop < count; ++hop)
      add_samples(signal, begin + hop * config_.hop, row_samples_, from + hop * row_samples_);
  }

  void fold_margins(int64_t signal) {
    const int64_t num_samples = job_.batch.num_samples;
    T* const to = address_of(signal);
    const T* margin = margins_.data() + signal * (segments_.margin_left + segments_.margin_right);
    const auto add = [&](int64_t, const PaddedRun& run) {
      T* at = to + run.first * gradient_.signal_sample_stride;
      const int64_t step = run.step * gradient_.signal_sample_stride;
      for (int64_t i = 0; i < run.count; ++i) at[i * step] += *margin++;
    };
    const PadMode mode = config_.pad_mode;
    for_each_padded_run(mode, -segments_.margin_left, 0, num_samples, add);
    for_each_padded_run(mode, num_samples, num_samples + segments_.margin_right, num_samples, add);
  }

  const Config& config_;
  const Job& job_;
  const Segments& segments_;
  int64_t row_samples_;
  const specfast_gradient& gradient_;
  std::vector<T> tails_;    // [signal][segment]
  std::vector<T> margins_;  // [signal]
};

}  // namespace specfast::engine
