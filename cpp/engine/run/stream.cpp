// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/stream.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "engine/base/error.h"
#include "engine/base/interrupt.h"
#include "engine/run/job.h"
#include "engine/run/scope.h"
#include "engine/run/staging.h"
#include "engine/run/stream_store.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

constexpr int64_t kMaxChannels = 65536;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
}

void require_between(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return;
  refuse(std::string(name) + " must be between " + std::to_string(low) + " and " +
         std::to_string(high) + ", received " + name + "=" + std::to_string(value));
}

void check_config(const Config& config, const specfast_stream_config& stream) {
  require_between("num_channels", stream.num_channels, 1, kMaxChannels);
  require_between("max_block", stream.max_block, 1, kMaxSamples);
  require_between("max_rule", stream.max_rule, SPECFAST_MAX_NONE, SPECFAST_MAX_RUNNING);
  check_scope_of_stream(config, stream);
  if (config.padding != Padding::kSame) {
    require_between("num_samples (without padding same)", stream.num_samples, 0, 0);
    return;
  }
  require_between("num_samples", stream.num_samples, 0, kMaxSamples);
  if (stream.num_samples == 0 && left_padding_varies(config)) {
    refuse(
        "num_samples must be the length of the signal, or a number with the same remainder modulo "
        "hop=" +
        std::to_string(config.hop) +
        ", with padding same: the zeros in front of the signal depend on it, received "
        "num_samples=0");
  }
}

int64_t fingerprint_with(const Plan& plan, const specfast_stream_config& config) {
  int64_t level = 0;
  if (config.max_rule == SPECFAST_MAX_FIXED) std::memcpy(&level, &config.max_db, sizeof(level));
  return int64_t(plan.fingerprint()) ^ level;
}

}  // namespace

std::unique_ptr<Stream> Stream::create(const Plan& plan, const specfast_stream_config& config) {
  check_config(plan.config(), config);
  return make_stream_store(plan, config);
}

Stream::Stream(const Plan& plan, const specfast_stream_config& config)
    : config_(plan.config()),
      num_rows_(plan.num_rows()),
      num_channels_(config.num_channels),
      max_block_(config.max_block),
      max_rule_(specfast_max_rule(config.max_rule)),
      is_trained_(!plan.is_analytic()),
      fingerprint_(fingerprint_with(plan, config)),
      left_(left_padding(config_, std::max<int64_t>(config.num_samples, 1))),
      latency_(engine::latency_samples(config_, left_)),
      margin_(repeats_samples() ? samples_behind_end() + 1 : 0),
      start_(-front()) {}

// ---- Positions ----------------------------------------------------------------------------------

// Frames whose samples are all known when num_samples are.
int64_t Stream::ready_frames(int64_t num_samples) const noexcept {
  // The sample number left_ is reflected to the front.
  const bool begun = !repeats_samples() || num_samples > left_;
  if (!begun || num_samples < latency_samples()) return 0;
  return (num_samples - latency_samples()) / config_.hop + 1;
}

int64_t Stream::frames_of_push(int64_t num_samples) const noexcept {
  return ready_frames(seen_ + num_samples) - ready_frames(seen_);
}

int64_t Stream::frames_of_flush() const noexcept {
  return finished_ ? 0 : num_frames(config_, seen_) - ready_frames(seen_);
}

int64_t Stream::max_frames() const noexcept {
  // Before the first frame a stream may hold more than one sample too few for the next one.
  const int64_t waiting = repeats_samples() ? std::max<int64_t>(left_ - latency_, -1) : -1;
  const int64_t of_push = (max_block_ + waiting) / config_.hop + 1;
  if (config_.padding == Padding::kValid && config_.masked_frames == 0) return of_push;
  const int64_t held = std::max(left_, latency_) + samples_of_wider_padding();
  return std::max(of_push, held / config_.hop + 1);
}

int64_t Stream::needed_from() const noexcept {
  return std::max(-front(), std::min(begin_of(next_frame_), seen_ - margin_));
}

// ---- Push and flush -----------------------------------------------------------------------------

specfast_status Stream::check_input(const specfast_block& block) const noexcept {
  if (block.in_dtype < SPECFAST_FLOAT32 || block.in_dtype > SPECFAST_INT16) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"in_dtype must be a specfast_dtype, received in_dtype=", int64_t(block.in_dtype)});
  }
  if (!scale_is_sound(block.in_scale, config_.precision)) {
    return fail(SPECFAST_E_INVALID_ARGUMENT, {refused_scale(block.in_scale).data()});
  }
  if (block.num_samples < 0 || block.num_samples > max_block_) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"num_samples must be between 0 and max_block=", max_block_,
                 ", received num_samples=", block.num_samples});
  }
  if (block.num_samples > kMaxSamples - seen_) {
    return fail(SPECFAST_E_OVERFLOW, {"a stream takes 2^62 samples, received num_samples=",
                                      block.num_samples, " after ", seen_});
  }
  if (block.num_samples == 0) return SPECFAST_OK;
  const std::size_t bytes = input_bytes(block.in_dtype);
  if (!reach_fits(
          {{num_channels_, block.in_channel_stride}, {block.num_samples, block.in_sample_stride}},
          bytes))
    return fail(SPECFAST_E_OVERFLOW,
                {"in_channel_stride and in_sample_stride reach beyond 64 bits, "
                 "received ",
                 block.in_channel_stride, " and ", block.in_sample_stride});
  return check_pointer("input", block.input, bytes);
}

specfast_status Stream::check_output(const specfast_block& block,
                                     int64_t num_frames) const noexcept {
  if (block.max_frames < 0 || num_frames > block.max_frames) {
    return fail(SPECFAST_E_INVALID_ARGUMENT, {"max_frames must be at least ", num_frames,
                                              ", received max_frames=", block.max_frames});
  }
  if (num_frames == 0) return SPECFAST_OK;
  const std::size_t bytes = element_bytes(config_.precision);
  if (!reach_fits({{num_channels_, block.out_channel_stride},
                   {num_frames, block.out_frame_stride},
                   {num_rows_, block.out_row_stride}},
                  bytes)) {
    return fail(
        SPECFAST_E_OVERFLOW,
        {"out_channel_stride, out_frame_stride and out_row_stride reach beyond 64 bits, "
         "received ",
         block.out_channel_stride, ", ", block.out_frame_stride, " and ", block.out_row_stride});
  }
  return check_pointer("output", block.output, bytes);
}

specfast_status Stream::push(const specfast_block& block, int64_t& num_frames) noexcept {
  if (finished_) {
    return fail(SPECFAST_E_OUT_OF_ORDER,
                {"push must not follow flush: reset the stream first, received num_samples=",
                 block.num_samples});
  }
  if (const specfast_status status = check_input(block); status != SPECFAST_OK) return status;
  const int64_t ready = frames_of_push(block.num_samples);
  if (const specfast_status status = check_output(block, ready); status != SPECFAST_OK)
    return status;

  for (int64_t taken = 0, given = 0; taken < block.num_samples;) {
    if (room() < block.num_samples - taken) compact();
    const int64_t count = std::min(room(), block.num_samples - taken);
    append(block, taken, count);
    const bool reaches_reflection = seen_ <= left_ && seen_ + count > left_;
    seen_ += count;
    taken += count;
    if (repeats_samples() && reaches_reflection) pad(start_, 0);
    const int64_t frames = ready_frames(seen_) - next_frame_;
    if (is_interrupted() || !compute(block, given, frames)) return abandon();
    given += frames;
  }
  num_frames = ready;
  return SPECFAST_OK;
}

specfast_status Stream::flush(const specfast_block& block, int64_t& num_frames) noexcept {
  if (finished_) {
    return fail(SPECFAST_E_OUT_OF_ORDER, {"flush must not follow flush: reset the stream first"});
  }
  if (seen_ > 0 && left_padding(config_, seen_) != left_) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"with padding same the signal must end as num_samples said, with another "
                 "number of samples modulo hop=",
                 config_.hop, ", received ", seen_, " samples in all"});
  }
  const int64_t left_over = frames_of_flush();
  if (const specfast_status status = check_output(block, left_over); status != SPECFAST_OK)
    return status;
  const int64_t computed =
      std::min(left_over, std::max<int64_t>(num_valid_frames(config_, seen_) - next_frame_, 0));
  if (computed > 0) {
    compact();
    if (repeats_samples() && seen_ <= left_) pad(start_, 0);
    pad(seen_, begin_of(next_frame_ + computed - 1) + config_.frame_length);
    if (!compute(block, 0, computed)) return abandon();
  }
  fill(block, computed, left_over);
  finished_ = true;
  num_frames = left_over;
  return SPECFAST_OK;
}

specfast_status Stream::abandon() noexcept {
  reset();
  return fail(SPECFAST_E_INTERRUPTED,
              {"the interrupt function of this thread ended the call, and the stream was reset"});
}

void Stream::reset() noexcept {
  seen_ = next_frame_ = 0;
  start_ = -front();
  finished_ = false;
  reset_scope();
  if (!repeats_samples()) pad(start_, 0);
}

}  // namespace specfast::engine
