// SPDX-License-Identifier: BSD-3-Clause
// The state of a stream as bytes: a header, what the scope operation remembers, the samples that
// later frames need.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/base/error.h"
#include "engine/run/saved_state.h"
#include "engine/run/stream.h"

namespace specfast::engine {
namespace {

// The places of Stream::Header, which is compared with the stream's own up to kSeen.
enum HeaderField {
  kMagic,
  kVersion,
  kDtype,
  kMode,
  kNumRows,
  kFrameLength,
  kHop,
  kFftLength,
  kPadding,
  kLeft,
  kNumChannels,
  kMaxRule,
  kIsTrained,
  kFingerprint,
  kSeen,
  kFinished,
};
constexpr const char* kHeaderNames[] = {"magic",
                                        "version",
                                        "dtype",
                                        "mode",
                                        "num_rows",
                                        "frame_length",
                                        "hop",
                                        "fft_length",
                                        "padding",
                                        "left padding",
                                        "num_channels",
                                        "max_rule",
                                        "trained kernels (0 or 1)",
                                        "fingerprint of all arguments"};
static_assert(std::size(kHeaderNames) == kSeen);
constexpr int64_t kMagicNumber = 0x7473636570735f31;  // also tells the byte order

}  // namespace

// Samples in front of the signal are made again when a state is loaded; after flush none are
// needed.
int64_t Stream::first_saved() const noexcept {
  return finished_ ? seen_ : std::max<int64_t>(needed_from(), 0);
}

Stream::Header Stream::header() const noexcept {
  return {kMagicNumber,
          1,
          int64_t(config_.precision),
          int64_t(config_.spectrum_op),
          num_rows_,
          config_.frame_length,
          config_.hop,
          config_.fft_length,
          int64_t(config_.padding),
          left_,
          num_channels_,
          max_rule_,
          is_trained_,
          fingerprint_,
          seen_,
          finished_};
}

std::size_t Stream::state_bytes() const noexcept {
  return sizeof(Header) + value_bytes(seen_ - first_saved());
}

void Stream::save(std::byte* bytes) const noexcept {
  const Header fields = header();
  std::memcpy(bytes, fields.data(), sizeof(fields));
  save_values(bytes + sizeof(fields), first_saved());
}

specfast_status Stream::load(const std::byte* bytes, std::size_t num_bytes) noexcept {
  Header fields;
  const auto status = read_header(bytes, num_bytes, header(), kHeaderNames, fields);
  if (status != SPECFAST_OK) return status;
  if (fields[kSeen] < 0 || fields[kSeen] > kMaxSamples || (fields[kFinished] | 1) != 1) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"bytes must be the state of a stream, received a position of ", fields[kSeen],
                 " samples, finished=", fields[kFinished]});
  }

  // Everything else follows from the position.
  const int64_t seen = seen_, next_frame = next_frame_;
  const bool finished = finished_;
  seen_ = fields[kSeen];
  next_frame_ = ready_frames(seen_);
  finished_ = fields[kFinished] != 0;
  const std::size_t expected = state_bytes();
  const bool sound = num_bytes == expected && scope_is_sound(bytes + sizeof(fields));
  if (!sound) {
    seen_ = seen;
    next_frame_ = next_frame;
    finished_ = finished;
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"bytes must be the whole state of a stream, num_bytes=", int64_t(expected),
                 " with maxima that are no NaN, received num_bytes=", int64_t(num_bytes)});
  }
  start_ = needed_from();
  load_values(bytes + sizeof(fields), first_saved());
  if (!repeats_samples() || seen_ > left_) pad(start_, 0);
  return SPECFAST_OK;
}

}  // namespace specfast::engine
