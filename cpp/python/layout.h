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

// Strides in elements of the output of one signal, and the number of its elements.
struct OutputAxes {
  std::int64_t channel_stride, frame_stride, row_stride;
  std::int64_t num_elements;
};

// Appends the axes of one signal's output to `shape`. ValueError where they do not fit 64 bits.
OutputAxes append_output_axes(Layout layout, std::int64_t num_channels, std::int64_t num_frames,
                              std::int64_t num_rows, Shape& shape);

// Enters the axes of x into the batch: its numbers, and the strides of the input but for the one of
// the batch of kAnyRank, for which see readable(). ValueError for a wrong rank.
void describe_input(Layout layout, const py::array& x, specfast_batch& batch);

// Enters the strides of a contiguous output into the batch that describe_input() filled, and
// returns its shape.
Shape describe_output(Layout layout, const py::array& x, std::int64_t num_frames,
                      std::int64_t num_rows, specfast_batch& batch);

// Points the batch at x, or at a copy of it where its leading axes have no common stride. The
// result must outlive the batch.
py::array readable(Layout layout, const py::array& x, specfast_batch& batch);

}  // namespace specfast_python
