// SPDX-License-Identifier: BSD-3-Clause
// A signal piece by piece: push samples, get the frames that became ready.
//
// Once made, a stream allocates nothing, locks nothing and throws nothing; failures go to
// base/error.h.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/plan/plan.h"
#include "engine/spec/geometry.h"
#include "specfast/specfast.h"

namespace specfast::engine {

// Positions, order of calls and checks; stream_store.h keeps the samples and computes.
class Stream {
 public:
  // Checks `config`, allocates everything. The plan must outlive the stream.
  static std::unique_ptr<Stream> create(const Plan& plan, const specfast_stream_config& config);
  virtual ~Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  specfast_status push(const specfast_block& block, int64_t& num_frames) noexcept;
  specfast_status flush(const specfast_block& block, int64_t& num_frames) noexcept;
  void reset() noexcept;

  bool finished() const noexcept { return finished_; }
  int64_t max_block() const noexcept { return max_block_; }
  int64_t latency_samples() const noexcept { return latency_; }
  // Returns how many samples may be pushed at once now.
  int64_t max_push() const noexcept { return std::min(max_block_, kMaxSamples - seen_); }
  // Return the frames that a push of 0 to max_push() samples, or a flush, would give now.
  int64_t frames_of_push(int64_t num_samples) const noexcept;
  int64_t frames_of_flush() const noexcept;
  int64_t max_frames() const noexcept;

  std::size_t state_bytes() const noexcept;
  void save(std::byte* bytes) const noexcept;
  specfast_status load(const std::byte* bytes, std::size_t num_bytes) noexcept;

 protected:
  Stream(const Plan& plan, const specfast_stream_config& config);

  int64_t begin_of(int64_t frame) const noexcept { return frame * config_.hop - left_; }
  // Whether padding repeats samples of the signal, and so has to wait for them.
  bool repeats_samples() const noexcept { return config_.pad_mode != PadMode::kZeros; }
  // Returns how many samples of padding frames see in front of the signal, and how many at most
  // behind it.
  int64_t front() const noexcept { return std::max<int64_t>(left_, 0); }
  int64_t samples_behind_end() const noexcept {
    return config_.frame_length - left_ + samples_of_wider_padding();
  }
  // Returns how far behind the end of a signal a frame may begin.
  int64_t samples_of_wider_padding() const noexcept {
    if (config_.padding != Padding::kSides) return 0;
    return std::max<int64_t>(2 * config_.pad_length - config_.frame_span, 0);
  }
  // Returns the first sample that a later frame needs.
  int64_t needed_from() const noexcept;

  // room() is how many samples fit behind those in the store; compact() drops samples that no later
  // frame needs.
  virtual int64_t room() const noexcept = 0;
  virtual void compact() noexcept = 0;
  // Appends samples [from, from + count) of the block to the store.
  virtual void append(const specfast_block& block, int64_t from, int64_t count) noexcept = 0;
  // Writes padding [begin, end), in front of a signal of seen_ samples or more, or behind one of
  // seen_.
  virtual void pad(int64_t begin, int64_t end) noexcept = 0;
  // Computes the next num_frames frames into the block, from its frame `to` on. Returns whether it
  // did: false where the caller ended the call.
  virtual bool compute(const specfast_block& block, int64_t to, int64_t num_frames) noexcept = 0;
  // Writes the value of frames that are not valid to frames [begin, end) of the block.
  virtual void fill(const specfast_block& block, int64_t begin, int64_t end) noexcept = 0;
  virtual void reset_scope() noexcept = 0;
  // A state holds what the scope operation remembers, then the samples [first_sample, seen_) of
  // each channel.
  virtual std::size_t value_bytes(int64_t num_samples) const noexcept = 0;
  virtual void save_values(std::byte* bytes, int64_t first_sample) const noexcept = 0;
  virtual bool scope_is_sound(const std::byte* bytes) const noexcept = 0;
  virtual void load_values(const std::byte* bytes, int64_t first_sample) noexcept = 0;

  const Config& config_;
  const int64_t num_rows_;
  const int64_t num_channels_, max_block_;
  const specfast_max_rule max_rule_;
  const bool is_trained_;
  const int64_t fingerprint_;  // of the plan and max_db
  const int64_t left_;         // samples of padding in front of the signal
  const int64_t latency_;
  const int64_t margin_;  // last samples of the signal that a reflection at its end may need

  int64_t seen_ = 0;        // samples of a channel so far
  int64_t next_frame_ = 0;  // ready_frames(seen_), but inside a call
  int64_t start_;           // the sample at the beginning of the store, from -left_ on

 private:
  static constexpr std::size_t kNumHeaderFields = 16;
  using Header = std::array<int64_t, kNumHeaderFields>;

  int64_t ready_frames(int64_t num_samples) const noexcept;
  int64_t first_saved() const noexcept;
  Header header() const noexcept;
  specfast_status check_input(const specfast_block& block) const noexcept;
  specfast_status check_output(const specfast_block& block, int64_t num_frames) const noexcept;
  // Forgets a push or flush that the caller has ended, and all before it.
  specfast_status abandon() noexcept;

  bool finished_ = false;
};

}  // namespace specfast::engine
