// SPDX-License-Identifier: BSD-3-Clause
#include "python/layout.h"

#include <new>
#include <optional>

namespace specfast_python {
namespace {

struct NamedLayout {
  const char* name;
  Layout layout;
};

constexpr NamedLayout kLayouts[] = {{"flat_channels_last", Layout::kFlatChannelsLast},
                                    {"flat_channels_first", Layout::kFlatChannelsFirst},
                                    {"image_channels_last", Layout::kImageChannelsLast},
                                    {"image_channels_first", Layout::kImageChannelsFirst},
                                    {"any_rank", Layout::kAnyRank}};

void describe_any_rank(const py::array& x, specfast_batch& batch) {
  if (x.ndim() < 1)
    throw py::value_error("x must have at least 1 axis (..., samples), received x.shape=()");
  const py::ssize_t last = x.ndim() - 1;
  batch.num_batches = 1;
  for (py::ssize_t axis = 0; axis < last; ++axis)
    batch.num_batches = checked_product(batch.num_batches, x.shape(axis));
  batch.num_channels = 1;
  batch.num_samples = x.shape(last);
  batch.in_sample_stride = element_stride(x, last);
}

// The leading axes of an array of any rank as one batch axis: its stride, if they have one.
std::optional<std::int64_t> collapsed_stride(const py::array& x) {
  std::int64_t stride = 0, expected = 0;
  bool found = false;
  for (py::ssize_t axis = x.ndim() - 2; axis >= 0; --axis) {
    if (x.shape(axis) == 1) continue;
    const std::int64_t axis_stride = element_stride(x, axis);
    if (!found) {
      stride = axis_stride;
      found = true;
    } else if (axis_stride != expected) {
      return std::nullopt;
    }
    expected = axis_stride * x.shape(axis);
  }
  return stride;
}

}  // namespace

Layout layout_of(const std::string& name) {
  std::string accepted;
  for (const NamedLayout& known : kLayouts) {
    if (name == known.name) return known.layout;
    accepted += (accepted.empty() ? "'" : ", '") + std::string(known.name) + "'";
  }
  throw py::value_error("layout must be one of " + accepted + ", received layout='" + name + "'");
}

bool is_channels_last(Layout layout) {
  return layout == Layout::kFlatChannelsLast || layout == Layout::kImageChannelsLast;
}

OutputAxes append_output_axes(Layout layout, std::int64_t num_channels, std::int64_t num_frames,
                              std::int64_t num_rows, Shape& shape) {
  const std::int64_t flat = checked_product(num_channels, num_rows);
  const std::int64_t num_elements = checked_product(flat, num_frames);
  const std::int64_t one_channel = checked_product(num_rows, num_frames);
  switch (layout) {
    case Layout::kFlatChannelsLast:
      shape.insert(shape.end(), {num_frames, flat});
      return {num_rows, flat, 1, num_elements};
    case Layout::kFlatChannelsFirst:
      shape.insert(shape.end(), {flat, num_frames});
      return {one_channel, 1, num_frames, num_elements};
    case Layout::kImageChannelsLast:
      shape.insert(shape.end(), {num_frames, num_rows, num_channels});
      return {1, flat, num_channels, num_elements};
    case Layout::kImageChannelsFirst:
      shape.insert(shape.end(), {num_channels, num_frames, num_rows});
      return {one_channel, num_rows, 1, num_elements};
    default:
      if (num_channels != 1) shape.push_back(num_channels);
      shape.insert(shape.end(), {num_rows, num_frames});
      return {one_channel, 1, num_frames, num_elements};
  }
}

void describe_input(Layout layout, const py::array& x, specfast_batch& batch) {
  if (layout == Layout::kAnyRank) return describe_any_rank(x, batch);
  if (x.ndim() != 3) {
    throw py::value_error(
        "x must have 3 axes (batch, samples and channels as data_format says), received x.shape=" +
        describe(shape_of(x)));
  }
  const py::ssize_t samples = is_channels_last(layout) ? 1 : 2, channels = 3 - samples;
  batch.num_batches = x.shape(0);
  batch.num_channels = x.shape(channels);
  batch.num_samples = x.shape(samples);
  batch.in_batch_stride = element_stride(x, 0);
  batch.in_channel_stride = element_stride(x, channels);
  batch.in_sample_stride = element_stride(x, samples);
}

Shape describe_output(Layout layout, const py::array& x, std::int64_t num_frames,
                      std::int64_t num_rows, specfast_batch& batch) {
  Shape shape;
  shape.reserve(std::size_t(x.ndim()) + 1);
  if (layout == Layout::kAnyRank) {
    shape.assign(x.shape(), x.shape() + x.ndim() - 1);
  } else {
    shape.push_back(batch.num_batches);
  }
  const OutputAxes axes =
      append_output_axes(layout, batch.num_channels, num_frames, num_rows, shape);
  batch.out_batch_stride = axes.num_elements;
  batch.out_channel_stride = axes.channel_stride;
  batch.out_frame_stride = axes.frame_stride;
  batch.out_row_stride = axes.row_stride;
  return shape;
}

py::array readable(Layout layout, const py::array& x, specfast_batch& batch) {
  py::array source = x;
  if (layout == Layout::kAnyRank) {
    std::optional<std::int64_t> stride = collapsed_stride(x);
    if (!stride) {
      source = py::array::ensure(x, py::array::c_style);
      if (!source) throw std::bad_alloc();  // ensure() has cleared NumPy's own error
      stride = collapsed_stride(source);
      batch.in_sample_stride = element_stride(source, source.ndim() - 1);
    }
    batch.in_batch_stride = *stride;
  }
  batch.input = source.data();
  return source;
}

}  // namespace specfast_python
