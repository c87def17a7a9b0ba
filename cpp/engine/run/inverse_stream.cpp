// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/inverse_stream.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "engine/base/error.h"
#include "engine/run/inverse.h"
#include "engine/run/inverse_stream_sums.h"
#include "engine/run/job.h"
#include "engine/run/saved_state.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

constexpr int64_t kMaxChannels = 65536;
constexpr int64_t kMagicNumber = 0x7473696573665f31;  // also tells the byte order
constexpr std::size_t kFrames = 11;                   // the place of the position in a header
constexpr const char* kHeaderNames[] = {"magic",
                                        "version",
                                        "dtype",
                                        "frame_length",
                                        "hop",
                                        "fft_length",
                                        "padding",
                                        "left padding",
                                        "num_channels",
                                        "num_samples",
                                        "fingerprint of all arguments"};
static_assert(std::size(kHeaderNames) == kFrames);

void check_arguments(const Config& config, int64_t num_channels, int64_t num_samples) {
  const auto refuse = [](const std::string& message, int64_t received) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT, message + std::to_string(received));
  };
  if (num_channels < 1 || num_channels > kMaxChannels)
    refuse("num_channels must be between 1 and 65536, received num_channels=", num_channels);
  if (num_samples < -1 || num_samples > kMaxSamples)
    refuse("num_samples must be -1 or between 0 and 2^62, received num_samples=", num_samples);
  if (num_samples < 0 && left_padding_varies(config)) {
    refuse(
        "num_samples must be the length of the signal with padding same: the zeros in front of it "
        "depend on it, received num_samples=",
        num_samples);
  }
}

}  // namespace

std::unique_ptr<InverseStream> InverseStream::create(const InversePlan& plan, int64_t num_channels,
                                                     int64_t num_samples) {
  check_arguments(plan.config(), num_channels, num_samples);
  return make_inverse_stream(plan, num_channels, num_samples);
}

InverseStream::InverseStream(const InversePlan& plan, int64_t num_channels, int64_t num_samples)
    : plan_(plan),
      config_(plan.config()),
      num_channels_(num_channels),
      num_samples_(num_samples),
      left_(left_padding(config_, std::max<int64_t>(num_samples, 1))) {}

// ---- Positions ----------------------------------------------------------------------------------

int64_t InverseStream::all_samples(int64_t num_frames) const noexcept {
  return num_samples_ >= 0 ? num_samples_ : usual_num_samples(config_, num_frames);
}

int64_t InverseStream::complete_samples(int64_t num_frames) const noexcept {
  const int64_t complete = std::max<int64_t>(num_frames * config_.hop - left_, 0);
  if (num_frames == 0) return 0;
  return num_samples_ >= 0 ? std::min(complete, num_samples_) : complete;
}

int64_t InverseStream::given_samples(int64_t num_frames) const noexcept {
  return std::min(complete_samples(num_frames), all_samples(num_frames));
}

int64_t InverseStream::max_push() const noexcept {
  // Places of samples stay below 2^62.
  return (kMaxSamples - config_.frame_length) / config_.hop - 2 - frames_;
}

int64_t InverseStream::samples_of_push(int64_t num_frames) const noexcept {
  return given_samples(frames_ + num_frames) - given_samples(frames_);
}

int64_t InverseStream::samples_of_flush() const noexcept {
  if (finished_ || frames_ == 0) return 0;
  const int64_t all = std::min(all_samples(frames_), max_num_samples(config_, frames_));
  return all - given_samples(frames_);
}

int64_t InverseStream::delay_samples() const noexcept {
  if (num_samples_ >= 0) return left_;
  // Any number of frames that is large enough will do.
  const int64_t frames =
      (left_ + 2 * config_.pad_length + 2 * config_.fft_length) / config_.hop + 2;
  return frames * config_.hop - given_samples(frames);
}

// ---- Push and flush -----------------------------------------------------------------------------

specfast_status InverseStream::check_spectra(const specfast_spectra& spectra) const noexcept {
  if (spectra.num_batches != 1 || spectra.num_channels != num_channels_) {
    return fail(
        SPECFAST_E_INVALID_ARGUMENT,
        {"num_batches must be 1 and num_channels ", num_channels_,
         ", received num_batches=", spectra.num_batches, ", num_channels=", spectra.num_channels});
  }
  if (spectra.num_frames < 0 || spectra.num_frames > max_push()) {
    return fail(SPECFAST_E_INVALID_ARGUMENT, {"num_frames must be between 0 and ", max_push(),
                                              ", received num_frames=", spectra.num_frames});
  }
  if (spectra.num_frames == 0) return SPECFAST_OK;
  const std::size_t bytes = element_bytes(config_.precision);
  if (!reach_fits({{num_channels_, spectra.channel_stride},
                   {spectra.num_frames, spectra.frame_stride},
                   {config_.fft_length / 2 + 1, spectra.bin_stride}},
                  bytes)) {
    return fail(SPECFAST_E_OVERFLOW,
                {"channel_stride, frame_stride and bin_stride reach beyond 64 bits, received ",
                 spectra.channel_stride, ", ", spectra.frame_stride, " and ", spectra.bin_stride});
  }
  const specfast_status status = check_pointer("real", spectra.real, bytes);
  return status == SPECFAST_OK ? check_pointer("imag", spectra.imag, bytes) : status;
}

specfast_status InverseStream::check_signal(const specfast_spectra& spectra,
                                            int64_t count) const noexcept {
  if (spectra.num_samples < count) {
    return fail(SPECFAST_E_INVALID_ARGUMENT, {"num_samples must be at least ", count,
                                              ", received num_samples=", spectra.num_samples});
  }
  if (count == 0) return SPECFAST_OK;
  const std::size_t bytes = element_bytes(config_.precision);
  if (!reach_fits(
          {{num_channels_, spectra.signal_channel_stride}, {count, spectra.signal_sample_stride}},
          bytes)) {
    return fail(SPECFAST_E_OVERFLOW,
                {"signal_channel_stride and signal_sample_stride reach beyond 64 bits, received ",
                 spectra.signal_channel_stride, " and ", spectra.signal_sample_stride});
  }
  return check_pointer("signal", spectra.signal, bytes);
}

specfast_status InverseStream::push(const specfast_spectra& spectra,
                                    int64_t& num_samples) noexcept {
  if (finished_) {
    return fail(SPECFAST_E_OUT_OF_ORDER,
                {"push must not follow flush: reset the stream first, received num_frames=",
                 spectra.num_frames});
  }
  if (const auto status = check_spectra(spectra); status != SPECFAST_OK) return status;
  const int64_t count = samples_of_push(spectra.num_frames);
  if (const auto status = check_signal(spectra, count); status != SPECFAST_OK) return status;
  if (spectra.num_frames > 0 && !add(spectra)) {
    reset();
    return fail(SPECFAST_E_INTERRUPTED,
                {"the interrupt function of this thread ended the call, and the stream was reset"});
  }
  frames_ += spectra.num_frames;
  num_samples = count;
  return SPECFAST_OK;
}

specfast_status InverseStream::flush(const specfast_spectra& spectra,
                                     int64_t& num_samples) noexcept {
  if (finished_) {
    return fail(SPECFAST_E_OUT_OF_ORDER, {"flush must not follow flush: reset the stream first"});
  }
  if (num_samples_ >= 0 && !is_length_of(config_, frames_, num_samples_)) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"num_samples must be a length that the frames of the stream can stand for, "
                 "received num_samples=",
                 num_samples_, " and ", frames_, " frames in all"});
  }
  const int64_t count = samples_of_flush();
  if (const auto status = check_signal(spectra, count); status != SPECFAST_OK) return status;
  if (count > 0) finish(spectra, count);
  finished_ = true;
  num_samples = count;
  return SPECFAST_OK;
}

void InverseStream::reset() noexcept {
  frames_ = 0;
  finished_ = false;
  clear();
}

// ---- State --------------------------------------------------------------------------------------

InverseStream::Header InverseStream::header() const noexcept {
  return {kMagicNumber,
          1,
          int64_t(config_.precision),
          config_.frame_length,
          config_.hop,
          config_.fft_length,
          int64_t(config_.padding),
          left_,
          num_channels_,
          num_samples_,
          int64_t(plan_.fingerprint()),
          frames_,
          finished_};
}

std::size_t InverseStream::state_bytes() const noexcept {
  return sizeof(Header) + value_bytes(frames_);
}

void InverseStream::save(std::byte* bytes) const noexcept {
  const Header fields = header();
  std::memcpy(bytes, fields.data(), sizeof(fields));
  save_values(bytes + sizeof(fields));
}

specfast_status InverseStream::load(const std::byte* bytes, std::size_t num_bytes) noexcept {
  Header fields;
  const auto status = read_header(bytes, num_bytes, header(), kHeaderNames, fields);
  if (status != SPECFAST_OK) return status;
  const int64_t frames = fields[kFrames], finished = fields[kFrames + 1];
  if (frames < 0 || frames > max_push() + frames_ || (finished | 1) != 1) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"bytes must be the state of a stream, received a position of ", frames,
                 " frames, finished=", finished});
  }
  const std::size_t expected = sizeof(fields) + value_bytes(frames);
  if (num_bytes != expected) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"bytes must be the whole state of a stream, num_bytes=", int64_t(expected),
                 ", received num_bytes=", int64_t(num_bytes)});
  }
  frames_ = frames;
  finished_ = finished != 0;
  load_values(bytes + sizeof(fields));
  return SPECFAST_OK;
}

}  // namespace specfast::engine
