// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/stream_store.h"

#include <algorithm>
#include <cstring>

#include "engine/base/checked.h"
#include "engine/base/interrupt.h"
#include "engine/base/subnormals.h"
#include "engine/run/job.h"
#include "engine/run/staging.h"

namespace specfast::engine {

template <typename T>
StreamStore<T>::StreamStore(const Plan& plan, const specfast_stream_config& config)
    : Stream(plan, config),
      plan_(plan.precision<T>()),
      workspace_(plan, 1),
      gaps_(config_.hop > config_.frame_length) {
  // Samples to work on before the store slides back: enough for a full tile.
  constexpr int64_t kMinWork = 2048;
  const int64_t lanes = plan_.wide().kernel->lanes;
  const int64_t work =
      std::max({kMinWork, config_.frame_length + 1, gaps_ ? 0 : lanes * config_.hop});
  // Samples that stay when every ready frame is gone: less than a frame, or those of a reflection.
  const int64_t staying = std::max(config_.frame_length, latency_ + left_) + 2 * front() +
                          std::max<int64_t>(margin_, 0) + 2;
  capacity_ = staying + work;
  const int64_t columns = std::max(plan_.wide().tile.hop_columns, plan_.narrow().tile.hop_columns);
  const int64_t slack =
      gaps_ ? 0 : std::max<int64_t>(columns * config_.hop - config_.frame_length, 0);
  channel_stride_ = capacity_ + slack;
  const int64_t total = checked_multiply(num_channels_, channel_stride_);
  checked_multiply(total, sizeof(T));
  store_.resize(std::size_t(total));
  for (const ScopeOperation<T>* operation : scope_operations<T>(config_))
    scope_ = operation->make_stream(plan, config);
  if (config_.filters_signal()) previous_.resize(std::size_t(num_channels_));
  if (plan_.defers_rows()) {
    level_stride_ = plan_.level_values(plan_.wide());
    levels_ = AlignedBuffer<T>(checked_multiply(num_channels_, level_stride_));
    std::fill_n(levels_.get(), num_channels_ * level_stride_, T(0));
  }
  // The first touch of a page enters the kernel, which pushes must not do.
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
  const auto append_as = [&](const auto* null) {
    const auto* const input = static_cast<decltype(null)>(block.input);
    for (int64_t channel = 0; channel < num_channels_; ++channel) {
      const auto* const first =
          input + channel * block.in_channel_stride + from * block.in_sample_stride;
      if (config_.filters_signal()) {
        append_filtered(first, block, count, channel);
      } else {
        copy_samples(first, block.in_sample_stride, count, at(channel, seen_),
                     scale_of<T>(block.in_scale));
      }
    }
  };
  with_input_type(block.in_dtype, append_as);
}

template <typename T>
template <typename In>
void StreamStore<T>::append_filtered(const In* samples, const specfast_block& block, int64_t count,
                                     int64_t channel) noexcept {
  const SignalFilter<T> filter{scale_of<T>(block.in_scale), T(config_.preemphasis)};
  T* const to = at(channel, seen_);
  T& previous = previous_[std::size_t(channel)];
  copy_filtered(samples, block.in_sample_stride, 0, 1, count, to, filter);
  if (seen_ > 0) to[0] = to[0] - filter.coefficient * previous;
  previous = T(samples[(count - 1) * block.in_sample_stride]) * filter.scale;
}

template <typename T>
void StreamStore<T>::pad(int64_t begin, int64_t end) noexcept {
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    for_each_padded_run(config_.pad_mode, begin, end, seen_,
                        [&](int64_t index, const PaddedRun& run) {
                          T* const to = at(channel, index);
                          if (run.first == kNoSample) {
                            std::fill(to, to + run.count, T(0));
                          } else {
                            copy_samples(at(channel, run.first), run.step, run.count, to);
                          }
                        });
  }
}

template <typename T>
bool StreamStore<T>::compute(const specfast_block& block, int64_t to, int64_t num_frames) noexcept {
  // With gaps between the frames each one is a tile of its own, all lanes alike: nothing of the
  // gaps is read.
  const int64_t most = gaps_ ? 1 : plan_.wide().kernel->lanes;
  const FlushSubnormals flush(plan_.flushes_subnormals());
  while (num_frames > 0) {
    if (is_interrupted()) return false;
    const int64_t count = std::min(num_frames, most);
    compute_tiles(block, to, count);
    next_frame_ += count;
    to += count;
    num_frames -= count;
  }
  return true;
}

template <typename T>
void StreamStore<T>::compute_tiles(const specfast_block& block, int64_t to,
                                   int64_t num_frames) noexcept {
  TileArgs<T> args;
  args.num_frames = num_frames;
  const TileVariant<T>& variant = plan_.variant_for(num_frames);
  T* const out = static_cast<T*>(block.output) + to * block.out_frame_stride;
  args.hop_stride = gaps_ ? 0 : config_.hop;
  args.workspace = workspace_.of_thread(0);
  args.frame_stride = block.out_frame_stride;
  args.row_stride = block.out_row_stride;
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    args.samples = at(channel, begin_of(next_frame_));
    args.out = out + channel * block.out_channel_stride;
    if (levels_.get()) args.levels = levels_.get() + channel * level_stride_;
    variant.kernel->run(variant.tile, args);
  }
  if (!scope_) return;
  if (levels_.get()) {
    scope_->advance({levels_.get(), num_frames, variant.tile.num_bands, level_stride_, 1,
                     variant.kernel->lanes});
    return finish_rows(variant, args, out, block.out_channel_stride);
  }
  scope_->advance({out, num_frames, num_rows_, block.out_channel_stride, block.out_frame_stride,
                   block.out_row_stride});
}

template <typename T>
void StreamStore<T>::finish_rows(const TileVariant<T>& variant, TileArgs<T> args, T* out,
                                 int64_t out_channel_stride) noexcept {
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    args.levels = levels_.get() + channel * level_stride_;
    args.out = out + channel * out_channel_stride;
    variant.kernel->finish_rows(variant.tile, args);
  }
}

template <typename T>
void StreamStore<T>::fill(const specfast_block& block, int64_t begin, int64_t end) noexcept {
  const T value = T(config_.pad_value);
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    for (int64_t frame = begin; frame < end; ++frame) {
      T* const to = static_cast<T*>(block.output) + channel * block.out_channel_stride +
                    frame * block.out_frame_stride;
      for (int64_t row = 0; row < num_rows_; ++row) to[row * block.out_row_stride] = value;
    }
  }
}

template <typename T>
void StreamStore<T>::reset_scope() noexcept {
  if (scope_) scope_->reset();
  std::fill(previous_.begin(), previous_.end(), T(0));
}

template <typename T>
std::size_t StreamStore<T>::value_bytes(int64_t num_samples) const noexcept {
  const std::size_t scope_values = scope_ ? scope_->state().size() : 0;
  return (scope_values + previous_.size() + std::size_t(num_channels_) * std::size_t(num_samples)) *
         sizeof(T);
}

template <typename T>
template <typename Store, typename Copy>
void StreamStore<T>::for_each_saved_run(Store& store, int64_t first_sample,
                                        const Copy& copy) noexcept {
  if (store.scope_) copy(store.scope_->state().data(), store.scope_->state().size() * sizeof(T));
  copy(store.previous_.data(), store.previous_.size() * sizeof(T));
  for (int64_t channel = 0; channel < store.num_channels_; ++channel)
    copy(store.at(channel, first_sample), std::size_t(store.seen_ - first_sample) * sizeof(T));
}

template <typename T>
void StreamStore<T>::save_values(std::byte* bytes, int64_t first_sample) const noexcept {
  for_each_saved_run(*this, first_sample, [&bytes](const T* values, std::size_t num_bytes) {
    if (num_bytes > 0) std::memcpy(bytes, values, num_bytes);
    bytes += num_bytes;
  });
}

template <typename T>
bool StreamStore<T>::scope_is_sound(const std::byte* bytes) const noexcept {
  return !scope_ || scope_->is_sound(bytes);
}

template <typename T>
void StreamStore<T>::load_values(const std::byte* bytes, int64_t first_sample) noexcept {
  for_each_saved_run(*this, first_sample, [&bytes](T* values, std::size_t num_bytes) {
    if (num_bytes > 0) std::memcpy(values, bytes, num_bytes);
    bytes += num_bytes;
  });
}

std::unique_ptr<Stream> make_stream_store(const Plan& plan, const specfast_stream_config& config) {
  return with_precision(plan.config().precision, [&](auto zero) -> std::unique_ptr<Stream> {
    return std::make_unique<StreamStore<decltype(zero)>>(plan, config);
  });
}

template class StreamStore<float>;
template class StreamStore<double>;

}  // namespace specfast::engine
