// SPDX-License-Identifier: BSD-3-Clause
// The axes of input and output arrays, as strides of the C ABI.
#pragma once

#include <string>
#include <vector>

#include "python/arrays.h"

namespace specfast_python {

// Where batch, channels and samples stand in the input, and frames and rows in the output.
enum class Layout {
  kFlatChannelsLast,    // (batch, samples, channels) -> (batch, frames, channels * rows)
  kFlatChannelsFirst,   // (batch, channels, samples) -> (batch, channels * rows, frames)
  kImageChannelsLast,   // (batch, samples, channels) -> (batch, frames, rows, channels)
  kImageChannelsFirst,  // (batch, channels, samples) -> (batch, channels, frames, rows)
  kAnyRank,             // (..., samples) -> (..., rows, frames)
  kAnyRankFramesFirst,  // (..., samples) -> (..., frames, rows)
};

// "flat_channels_last" and so on; ValueError for any other name.
Layout layout_of(const std::string& name);

bool is_channels_last(Layout layout);

// Whether there is any number of leading axes.
bool has_any_rank(Layout layout);

// Where samples of a specfast_dtype stand in x: its numbers and strides; the leading axes of
// any rank are one batch axis without a stride, for which see Source. ValueError for a wrong rank.
specfast::Signals signals_of(Layout layout, const py::array& x, std::int32_t dtype);

// A contiguous output: its shape, and where frames and rows stand in it.
struct OutputAxes {
  Shape shape;
  specfast::FrameStrides strides;
  std::int64_t num_frames;

  specfast::Frames frames(void* values, std::int32_t dtype) const;
  specfast::ConstFrames frames(const void* values, std::int32_t dtype) const;
};

// What becomes of leading axes beyond those that the engine takes.
enum class MoreAxes {
  kSplit,   // they are walked over, one call of the engine for each of their indices
  kCopy,    // the samples are copied, and there is one call
  kRefuse,  // ValueError
};

// The samples of a call. The engine takes a batch and a channel axis; a layout of any rank may have
// leading axes beyond what these can describe.
class Source {
 public:
  Source(Layout layout, const py::array& x, const specfast::Signals& signals, MoreAxes more_axes);

  std::int64_t num_calls() const { return num_calls_; }
  // Returns the signals of the call of this index; this object must outlive them.
  specfast::Signals signals(std::int64_t index) const;
  std::int64_t signals_per_call() const { return signals_.num_batches * signals_.num_channels; }
  // Returns the strides of a call's part of a contiguous array, from those for one batch axis.
  specfast::FrameStrides strides(specfast::FrameStrides strides) const;

 private:
  struct Axis {
    std::int64_t count, stride;
  };
  static std::vector<Axis> leading_axes(const py::array& x);
  void take(std::vector<Axis> axes);

  py::array array_;
  specfast::Signals signals_;  // of the first call
  bool has_leading_axes_;
  std::vector<Axis> outer_;  // walked over, the last one fastest
  std::int64_t num_calls_ = 1;
};

// Returns the layout of a call for x. Throws ValueError where the axes do not fit 64 bits.
OutputAxes output_axes(Layout layout, const py::array& x, const specfast::Signals& signals,
                       std::int64_t num_frames, std::int64_t num_rows);

// Returns that of one signal, without the batch axis; one of any rank has a channel axis unless
// there is one channel.
OutputAxes output_axes_of_signal(Layout layout, std::int64_t num_channels, std::int64_t num_frames,
                                 std::int64_t num_rows);

}  // namespace specfast_python
