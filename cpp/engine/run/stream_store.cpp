// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/stream_store.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/run/job.h"
#include "engine/run/staging.h"

namespace specfast::engine {

template <typename T>
StreamStore<T>::StreamStore(const Plan& plan, const specfast_stream_config& config)
    : Stream(plan, config),
      plan_(plan.precision<T>()),
      workspace_(plan, 1),
      gaps_(config_.hop > config_.frame_length),
      fixed_floor_(T(config.max_db) - T(config_.top_db)) {
  // Samples to work on before the store slides back: enough for a full tile.
  constexpr int64_t kMinWork = 2048;
  const int64_t lanes = plan_.wide().kernel->lanes;
  const int64_t work =
      std::max({kMinWork, config_.frame_length + 1, gaps_ ? 0 : lanes * config_.hop});
  // What is kept when every ready frame is gone: less than a frame, or what a reflection needs.
  const int64_t kept = config_.frame_length + left_ + 2;
  capacity_ = kept + work;
  const int64_t columns = std::max(plan_.wide().tile.hop_columns, plan_.narrow().tile.hop_columns);
  const int64_t slack =
      gaps_ ? 0 : std::max<int64_t>(columns * config_.hop - config_.frame_length, 0);
  channel_stride_ = capacity_ + slack;
  const int64_t total = checked_multiply(num_channels_, channel_stride_);
  checked_multiply(total, sizeof(T));
  store_.resize(std::size_t(total));
  if (max_rule_ == SPECFAST_MAX_RUNNING) {
    const bool common = config_.top_db_scope == TopDbScope::kBatch;
    maxima_.resize(std::size_t(common ? 1 : num_channels_));
  }
  // A page that is touched for the first time is a visit to the system, which pushes do not make.
  std::memset(workspace_.of_thread(0), 0, plan.workspace_bytes());
  reset();
}

template <typename T>
void StreamStore<T>::compact() noexcept {
  const int64_t from = needed_from();
  if (from <= start_) return;
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    std::memmove(at(channel, start_), at(channel, from), std::size_t(seen_ - from) * sizeof(T));
  }
  start_ = from;
}

template <typename T>
void StreamStore<T>::append(const specfast_block& block, int64_t from, int64_t count) noexcept {
  const auto append_as = [&](const auto* input) {
    for (int64_t channel = 0; channel < num_channels_; ++channel) {
      copy_samples(input + channel * block.in_channel_stride + from * block.in_sample_stride,
                   block.in_sample_stride, count, at(channel, seen_), scale_of<T>(block.in_scale));
    }
  };
  switch (block.in_dtype) {
    case SPECFAST_FLOAT32:
      return append_as(static_cast<const float*>(block.input));
    case SPECFAST_FLOAT64:
      return append_as(static_cast<const double*>(block.input));
    default:
      return append_as(static_cast<const int16_t*>(block.input));
  }
}

template <typename T>
void StreamStore<T>::pad(int64_t begin, int64_t end) noexcept {
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    if (config_.padding != Padding::kCenter) {
      for (int64_t index = begin; index < end; ++index) *at(channel, index) = T(0);
      continue;
    }
    for_each_reflected_run(begin, end, seen_, [&](int64_t index, const ReflectedRun& run) {
      copy_samples(at(channel, run.first), run.step, run.count, at(channel, index));
    });
  }
}

template <typename T>
void StreamStore<T>::compute(const specfast_block& block, int64_t to, int64_t num_frames) noexcept {
  // With gaps between the frames each one is a tile of its own, all lanes alike: nothing of the
  // gaps is read.
  const int64_t most = gaps_ ? 1 : plan_.wide().kernel->lanes;
  while (num_frames > 0) {
    TileArgs<T> args;
    args.num_frames = std::min(num_frames, most);
    const Width<T>& width =
        args.num_frames <= plan_.narrow().kernel->lanes ? plan_.narrow() : plan_.wide();
    T* const out = static_cast<T*>(block.output) + to * block.out_frame_stride;
    args.hop_stride = gaps_ ? 0 : config_.hop;
    args.workspace = workspace_.of_thread(0);
    args.frame_stride = block.out_frame_stride;
    args.row_stride = block.out_row_stride;
    for (int64_t channel = 0; channel < num_channels_; ++channel) {
      args.samples = at(channel, begin_of(next_frame_));
      args.out = out + channel * block.out_channel_stride;
      width.kernel->run(width.tile, args);
    }
    if (max_rule_ != SPECFAST_MAX_NONE) apply_top_db(out, block, args.num_frames);
    next_frame_ += args.num_frames;
    to += args.num_frames;
    num_frames -= args.num_frames;
  }
}

template <typename T>
void StreamStore<T>::clamp(T* out, const specfast_block& block, int64_t num_frames,
                           T floor) const noexcept {
  plan_.narrow().kernel->clamp(out, num_frames, num_rows_, block.out_frame_stride,
                               block.out_row_stride, floor);
}

// Frame by frame, so that the result does not depend on how the signal was cut.
template <typename T>
void StreamStore<T>::apply_top_db(T* out, const specfast_block& block,
                                  int64_t num_frames) noexcept {
  if (max_rule_ == SPECFAST_MAX_FIXED) {
    for (int64_t channel = 0; channel < num_channels_; ++channel)
      clamp(out + channel * block.out_channel_stride, block, num_frames, fixed_floor_);
    return;
  }
  for (int64_t frame = 0; frame < num_frames; ++frame, out += block.out_frame_stride) {
    const auto maximum_of = [&](int64_t channel) -> T& {
      return maxima_[maxima_.size() == 1 ? 0 : std::size_t(channel)];
    };
    for (int64_t channel = 0; channel < num_channels_; ++channel) {
      T maximum = maximum_of(channel);
      const T* value = out + channel * block.out_channel_stride;
      for (int64_t row = 0; row < num_rows_; ++row, value += block.out_row_stride)
        maximum = *value > maximum ? *value : maximum;  // never a NaN
      maximum_of(channel) = maximum;
    }
    for (int64_t channel = 0; channel < num_channels_; ++channel)
      clamp(out + channel * block.out_channel_stride, block, 1,
            maximum_of(channel) - T(config_.top_db));
  }
}

template <typename T>
void StreamStore<T>::forget_maxima() noexcept {
  std::fill(maxima_.begin(), maxima_.end(), -std::numeric_limits<T>::infinity());
}

template <typename T>
std::size_t StreamStore<T>::value_bytes(int64_t num_samples) const noexcept {
  return (maxima_.size() + std::size_t(num_channels_) * std::size_t(num_samples)) * sizeof(T);
}

template <typename T>
void StreamStore<T>::save_values(std::byte* bytes, int64_t first_sample) const noexcept {
  const auto write = [&bytes](const T* values, std::size_t count) {
    if (count > 0) std::memcpy(bytes, values, count * sizeof(T));
    bytes += count * sizeof(T);
  };
  write(maxima_.data(), maxima_.size());
  for (int64_t channel = 0; channel < num_channels_; ++channel)
    write(at(channel, first_sample), std::size_t(seen_ - first_sample));
}

template <typename T>
bool StreamStore<T>::maxima_are_sound(const std::byte* bytes) const noexcept {
  for (std::size_t i = 0; i < maxima_.size(); ++i) {
    T maximum;
    std::memcpy(&maximum, bytes + i * sizeof(T), sizeof(T));
    if (maximum != maximum) return false;
  }
  return true;
}

template <typename T>
void StreamStore<T>::load_values(const std::byte* bytes, int64_t first_sample) noexcept {
  const auto read = [&bytes](T* values, std::size_t count) {
    if (count > 0) std::memcpy(values, bytes, count * sizeof(T));
    bytes += count * sizeof(T);
  };
  read(maxima_.data(), maxima_.size());
  for (int64_t channel = 0; channel < num_channels_; ++channel)
    read(at(channel, first_sample), std::size_t(seen_ - first_sample));
}

template class StreamStore<float>;
template class StreamStore<double>;

}  // namespace specfast::engine
