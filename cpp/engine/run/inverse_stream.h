// SPDX-License-Identifier: BSD-3-Clause
// An inverse frame by frame: push spectra, get the samples that no later frame changes.
//
// Once made, a stream allocates nothing, locks nothing and throws nothing; failures go to
// base/error.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/plan/inverse_plan.h"
#include "specfast/specfast.h"

namespace specfast::engine {

// Positions, order of calls and checks; what it derives from this adds frames up.
class InverseStream {
 public:
  // Checks the arguments, allocates everything. The plan must outlive the stream. num_samples is
  // the length of the signal, or -1.
  static std::unique_ptr<InverseStream> create(const InversePlan& plan, int64_t num_channels,
                                               int64_t num_samples);
  virtual ~InverseStream() = default;
  InverseStream(const InverseStream&) = delete;
  InverseStream& operator=(const InverseStream&) = delete;

  specfast_status push(const specfast_spectra& spectra, int64_t& num_samples) noexcept;
  specfast_status flush(const specfast_spectra& spectra, int64_t& num_samples) noexcept;
  void reset() noexcept;

  bool finished() const noexcept { return finished_; }
  // Returns how many frames may be pushed at once now.
  int64_t max_push() const noexcept;
  // Return the samples that a push of 0 to max_push() frames, or a flush, would give now.
  int64_t samples_of_push(int64_t num_frames) const noexcept;
  int64_t samples_of_flush() const noexcept;
  // Returns how many samples less than frames * hop a stream has given, from some frame on.
  int64_t delay_samples() const noexcept;

  std::size_t state_bytes() const noexcept;
  void save(std::byte* bytes) const noexcept;
  specfast_status load(const std::byte* bytes, std::size_t num_bytes) noexcept;

 protected:
  InverseStream(const InversePlan& plan, int64_t num_channels, int64_t num_samples);

  // Return how many samples no later frame changes after so many frames, and how many of them have
  // been given: those that the signal has for sure, though it may end here.
  int64_t complete_samples(int64_t num_frames) const noexcept;
  int64_t given_samples(int64_t num_frames) const noexcept;
  int64_t waiting_samples(int64_t num_frames) const noexcept {
    return complete_samples(num_frames) - given_samples(num_frames);
  }

  // Returns how many samples ever wait.
  int64_t most_waiting() const noexcept { return delay_samples() - left_; }

  // Adds the frames of all channels, and writes the samples that may be given; false where the
  // caller ended the call.
  virtual bool add(const specfast_spectra& spectra) noexcept = 0;
  // Writes the `count` samples that are left.
  virtual void finish(const specfast_spectra& spectra, int64_t count) noexcept = 0;
  virtual void clear() noexcept = 0;
  // What a state holds of all channels after so many frames.
  virtual std::size_t value_bytes(int64_t num_frames) const noexcept = 0;
  virtual void save_values(std::byte* bytes) const noexcept = 0;
  virtual void load_values(const std::byte* bytes) noexcept = 0;

  const InversePlan& plan_;
  const Config& config_;
  const int64_t num_channels_;
  const int64_t num_samples_;  // of the signal, or -1
  const int64_t left_;         // samples of padding in front of the signal
  int64_t frames_ = 0;         // so far

 private:
  static constexpr std::size_t kNumHeaderFields = 13;
  using Header = std::array<int64_t, kNumHeaderFields>;

  // Returns how many samples there are in all if so many frames are all.
  int64_t all_samples(int64_t num_frames) const noexcept;
  Header header() const noexcept;
  specfast_status check_spectra(const specfast_spectra& spectra) const noexcept;
  specfast_status check_signal(const specfast_spectra& spectra, int64_t count) const noexcept;

  bool finished_ = false;
};

}  // namespace specfast::engine
