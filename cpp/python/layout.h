// SPDX-License-Identifier: BSD-3-Clause
// The axes of input and output arrays, as strides of the C ABI.
#pragma once

#include <string>

#include "python/arrays.h"

namespace specfast_python {

// Where batch, channels and samples stand in the input, and frames and rows in the output.
enum class Layout {
  kFlatChannelsLast,    // (batch, samples, channels) -> (batch, frames, channels * rows)
  kFlatChannelsFirst,   // (batch, channels, samples) -> (batch, channels * rows, frames)
  kImageChannelsLast,   // (batch, samples, channels) -> (batch, frames, rows, channels)
  kImageChannelsFirst,  // (batch, channels, samples) -> (batch, channels, frames, rows)
  kAnyRank,             // (..., samples) -> (..., rows, frames)
};

// "flat_channels_last" and so on; ValueError for any other name.
Layout layout_of(const std::string& name);

bool is_channels_last(Layout layout);

// Where samples stand in x: its numbers and strides, but for the batch stride of kAnyRank, for
// which see readable(). ValueError for a wrong rank.
specfast::Signals signals_of(Layout layout, const py::array& x);

// Points the signals at x, or at a copy of it where its leading axes have no common stride. The
// result must outlive the signals.
py::array readable(Layout layout, const py::array& x, specfast::Signals& signals);

// A contiguous output: its shape, and where frames and rows stand in it.
struct OutputAxes {
  Shape shape;
  specfast::FrameStrides strides;
  std::int64_t num_frames;

  specfast::Frames frames(void* values, std::int32_t dtype) const;
  specfast::ConstFrames frames(const void* values, std::int32_t dtype) const;
};

// Returns the layout of a call for x. Throws ValueError where the axes do not fit 64 bits.
OutputAxes output_axes(Layout layout, const py::array& x, const specfast::Signals& signals,
                       std::int64_t num_frames, std::int64_t num_rows);

// Returns that of one signal, without the batch axis; kAnyRank has a channel axis unless there is
// one channel.
OutputAxes output_axes_of_signal(Layout layout, std::int64_t num_channels, std::int64_t num_frames,
                                 std::int64_t num_rows);

}  // namespace specfast_python
