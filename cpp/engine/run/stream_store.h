// SPDX-License-Identifier: BSD-3-Clause
// The samples of a stream, and the tiles that read them.
#pragma once

#include <memory>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/plan/workspace.h"
#include "engine/run/scope.h"
#include "engine/run/stream.h"

namespace specfast::engine {

// Every channel has a buffer of samples [start_, seen_), padding included, at the same places. It
// slides back to the front when it reaches the end. Behind the end lies slack: a tile reads more
// hops than its frames need.
template <typename T>
class StreamStore final : public Stream {
 public:
  StreamStore(const Plan& plan, const specfast_stream_config& config);

 private:
  int64_t room() const noexcept override { return capacity_ - (seen_ - start_); }
  void compact() noexcept override;
  void append(const specfast_block& block, int64_t from, int64_t count) noexcept override;
  template <typename In>
  void append_filtered(const In* samples, const specfast_block& block, int64_t count,
                       int64_t channel) noexcept;
  void pad(int64_t begin, int64_t end) noexcept override;
  bool compute(const specfast_block& block, int64_t to, int64_t num_frames) noexcept override;
  void fill(const specfast_block& block, int64_t begin, int64_t end) noexcept override;
  void reset_scope() noexcept override;
  std::size_t value_bytes(int64_t num_samples) const noexcept override;
  void save_values(std::byte* bytes, int64_t first_sample) const noexcept override;
  bool scope_is_sound(const std::byte* bytes) const noexcept override;
  void load_values(const std::byte* bytes, int64_t first_sample) noexcept override;

  // Returns the place of sample `index` of a channel.
  T* at(int64_t channel, int64_t index) noexcept {
    return store_.data() + channel * channel_stride_ + (index - start_);
  }
  const T* at(int64_t channel, int64_t index) const noexcept {
    return store_.data() + channel * channel_stride_ + (index - start_);
  }
  // Computes a tile of each channel, and lets the scope operation change all of them.
  void compute_tiles(const specfast_block& block, int64_t to, int64_t num_frames) noexcept;
  // Makes rows of levels that have waited for the scope operation.
  void finish_rows(const TileVariant<T>& variant, TileArgs<T> args, T* out,
                   int64_t out_channel_stride) noexcept;
  // Calls copy(values, num_bytes) for all that a state holds beside the positions, in its order.
  template <typename Store, typename Copy>
  static void for_each_saved_run(Store& store, int64_t first_sample, const Copy& copy) noexcept;

  const PrecisionPlan<T>& plan_;
  Workspace workspace_;
  const bool gaps_;  // samples between two frames belong to none
  int64_t capacity_;
  int64_t channel_stride_;
  int64_t level_stride_ = 0;
  std::vector<T> store_;                   // [channel][channel_stride_]
  std::vector<T> previous_;                // [channel]: the last sample, if the signal is filtered
  AlignedBuffer<T> levels_;                // [channel], if rows wait for the scope operation
  std::unique_ptr<ScopeStream<T>> scope_;  // null: no scope operation
};

std::unique_ptr<Stream> make_stream_store(const Plan& plan, const specfast_stream_config& config);

extern template class StreamStore<float>;
extern template class StreamStore<double>;

}  // namespace specfast::engine
