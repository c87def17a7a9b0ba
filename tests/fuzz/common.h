// SPDX-License-Identifier: BSD-3-Clause
// What the targets share: plans, signals, arrays in any layout, and streams whose frames are kept.
#pragma once

#include <memory>
#include <vector>

#include "../capi/harness.h"

namespace fuzz {

using Bytes = std::vector<unsigned char>;

// A plan of a few dozen samples, with a workspace; null where the drawn arguments give none.
std::unique_ptr<Plan> sound_plan(Random& random);

// How many values an input may give. Few fill the tiles of every instruction set several times and
// take a fraction of a millisecond; now and then there are so many that threads share them.
std::int64_t most_values(Random& random);

// Samples of one type, [signal][sample].
struct Signals {
  Signals(Random& random, std::int64_t its_num_signals, std::int64_t its_num_samples);
  const unsigned char* at(std::int64_t signal, std::int64_t sample = 0) const;

  std::int32_t dtype;
  double scale;
  std::int64_t num_signals, num_samples;
  Buffer values;
};

// Where the elements of an array lie: its axes in any order, forwards or backwards, with gaps or,
// where elements may lie in one place, all in the same.
class Layout {
 public:
  Layout(Random& random, std::vector<std::int64_t> shape, bool may_repeat);
  std::int64_t stride(std::size_t axis) const { return strides_[axis]; }
  // Of the first element, and of how much memory.
  std::int64_t origin() const { return origin_; }
  std::int64_t num_elements() const { return num_elements_; }
  // Of all elements, in the order of the axes.
  std::vector<std::int64_t> places() const;

 private:
  std::vector<std::int64_t> shape_, strides_;
  std::int64_t origin_ = 0, num_elements_ = 1;
};

// All frames of some signals by one call, [signal][frame][row], each as long as `lengths` says
// (null: all of it) and with as many frames as wanted (0: those that it has).
Bytes frames_of(const Plan& plan, const Signals& signals, std::int64_t first, std::int64_t count,
                const std::int64_t* lengths, std::int64_t num_frames);

// A stream that keeps what it gives.
class Session {
 public:
  Session(const Plan& plan, const specfast_stream_config& config);
  ~Session() { specfast_stream_destroy(handle_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Takes these samples of each signal. Returns whether it succeeded, as it must unless `allowed`.
  bool push(const Signals& signals, std::int64_t begin, std::int64_t count, int allowed = 0);
  bool flush(int allowed = 0);
  Bytes state() const;
  bool load(const Bytes& state, int allowed);
  // Of a channel: [frame][row].
  const Bytes& frames(std::int64_t channel) const { return frames_[std::size_t(channel)]; }
  // Ends the program unless the other one gave the same.
  void compare(const Session& other, const char* expected) const;

 private:
  bool call(bool is_flush, specfast_block& block, std::int64_t announced, int allowed);

  const Plan& plan_;
  specfast_stream* handle_ = nullptr;
  std::vector<Bytes> frames_;
};

}  // namespace fuzz
