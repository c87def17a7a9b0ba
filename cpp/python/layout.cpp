// SPDX-License-Identifier: BSD-3-Clause
#include "python/layout.h"

#include <new>
#include <utility>

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
                                    {"any_rank", Layout::kAnyRank},
                                    {"any_rank_frames_first", Layout::kAnyRankFramesFirst}};

specfast::Signals signals_of_any_rank(const py::array& x, std::int32_t dtype) {
  if (x.ndim() < 1)
    throw py::value_error("x must have at least 1 axis (..., samples), received x.shape=()");
  const py::ssize_t last = x.ndim() - 1;
  specfast::Signals signals;
  signals.dtype = specfast_dtype(dtype);
  for (py::ssize_t axis = 0; axis < last; ++axis)
    signals.num_batches = checked_product(signals.num_batches, x.shape(axis));
  signals.num_samples = x.shape(last);
  signals.sample_stride = element_stride(x, last);
  return signals;
}

// Appends the axes of one signal's output to `shape`; a signal after the other gives the batch
// stride.
specfast::FrameStrides append_axes(Layout layout, std::int64_t num_channels,
                                   std::int64_t num_frames, std::int64_t num_rows, Shape& shape) {
  const std::int64_t flat = checked_product(num_channels, num_rows);
  const std::int64_t signal = checked_product(flat, num_frames);
  const std::int64_t one_channel = checked_product(num_rows, num_frames);
  switch (layout) {
    case Layout::kFlatChannelsLast:
      shape.insert(shape.end(), {num_frames, flat});
      return {signal, num_rows, flat, 1};
    case Layout::kFlatChannelsFirst:
      shape.insert(shape.end(), {flat, num_frames});
      return {signal, one_channel, 1, num_frames};
    case Layout::kImageChannelsLast:
      shape.insert(shape.end(), {num_frames, num_rows, num_channels});
      return {signal, 1, flat, num_channels};
    case Layout::kImageChannelsFirst:
      shape.insert(shape.end(), {num_channels, num_frames, num_rows});
      return {signal, one_channel, num_rows, 1};
    case Layout::kAnyRankFramesFirst:
      if (num_channels != 1) shape.push_back(num_channels);
      shape.insert(shape.end(), {num_frames, num_rows});
      return {signal, one_channel, num_rows, 1};
    default:
      if (num_channels != 1) shape.push_back(num_channels);
      shape.insert(shape.end(), {num_rows, num_frames});
      return {signal, one_channel, 1, num_frames};
  }
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

bool has_any_rank(Layout layout) {
  return layout == Layout::kAnyRank || layout == Layout::kAnyRankFramesFirst;
}

specfast::Signals signals_of(Layout layout, const py::array& x, std::int32_t dtype) {
  if (has_any_rank(layout)) return signals_of_any_rank(x, dtype);
  if (x.ndim() != 3) {
    throw py::value_error(
        "x must have 3 axes (batch, samples and channels as data_format says), received x.shape=" +
        describe(shape_of(x)));
  }
  const py::ssize_t samples = is_channels_last(layout) ? 1 : 2, channels = 3 - samples;
  specfast::Signals signals;
  signals.dtype = specfast_dtype(dtype);
  signals.num_batches = x.shape(0);
  signals.num_channels = x.shape(channels);
  signals.num_samples = x.shape(samples);
  signals.batch_stride = element_stride(x, 0);
  signals.channel_stride = element_stride(x, channels);
  signals.sample_stride = element_stride(x, samples);
  return signals;
}

Source::Source(Layout layout, const py::array& x, const specfast::Signals& signals,
               MoreAxes more_axes)
    : array_(x),
      signals_(signals),
      has_leading_axes_(has_any_rank(layout) && signals.num_batches > 0) {
  if (has_leading_axes_) {
    std::vector<Axis> axes = leading_axes(array_);
    if (axes.size() > 2 && more_axes == MoreAxes::kRefuse) {
      throw py::value_error(
          "x must have at most 2 leading axes that no common stride describes where one clamp is "
          "for all of them: pass a contiguous copy of it, received " +
          std::to_string(axes.size()));
    }
    if (axes.size() > 2 && more_axes == MoreAxes::kCopy) {
      array_ = py::array::ensure(x, py::array::c_style);
      if (!array_) throw std::bad_alloc();  // ensure() has cleared NumPy's own error
      signals_.sample_stride = element_stride(array_, array_.ndim() - 1);
      axes = leading_axes(array_);
    }
    take(std::move(axes));
  }
  signals_.samples = array_.data();
}

// Appends the leading axes from the outermost on, without those of one element; axes that a common
// stride describes are one.
std::vector<Source::Axis> Source::leading_axes(const py::array& x) {
  std::vector<Axis> axes;
  for (py::ssize_t i = 0; i < x.ndim() - 1; ++i) {
    if (x.shape(i) == 1) continue;
    const Axis axis{x.shape(i), element_stride(x, i)};
    if (!axes.empty() && axes.back().stride == axis.stride * axis.count) {
      axes.back() = {axes.back().count * axis.count, axis.stride};
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

// The innermost axis is the batch axis, or the channel axis where there is another one.
void Source::take(std::vector<Axis> axes) {
  signals_.num_batches = 1;
  if (axes.size() > 1) {
    signals_.num_channels = axes.back().count;
    signals_.channel_stride = axes.back().stride;
    axes.pop_back();
  }
  if (!axes.empty()) {
    signals_.num_batches = axes.back().count;
    signals_.batch_stride = axes.back().stride;
    axes.pop_back();
  }
  outer_ = std::move(axes);
  for (const Axis& axis : outer_) num_calls_ *= axis.count;
}

specfast::Signals Source::signals(std::int64_t index) const {
  std::int64_t offset = 0;
  for (auto axis = outer_.rbegin(); axis != outer_.rend(); index /= axis->count, ++axis)
    offset += index % axis->count * axis->stride;
  specfast::Signals signals = signals_;
  signals.samples = static_cast<const char*>(signals.samples) + offset * array_.itemsize();
  return signals;
}

specfast::FrameStrides Source::strides(specfast::FrameStrides strides) const {
  if (!has_leading_axes_) return strides;
  strides.channel = strides.batch;
  strides.batch *= signals_.num_channels;
  return strides;
}

specfast::Frames OutputAxes::frames(void* values, std::int32_t dtype) const {
  return {values, specfast_dtype(dtype), specfast::FrameOrder::kByStrides, 0, num_frames, strides};
}

specfast::ConstFrames OutputAxes::frames(const void* values, std::int32_t dtype) const {
  return {values, specfast_dtype(dtype), specfast::FrameOrder::kByStrides, 0, num_frames, strides};
}

OutputAxes output_axes(Layout layout, const py::array& x, const specfast::Signals& signals,
                       std::int64_t num_frames, std::int64_t num_rows) {
  Shape shape;
  shape.reserve(std::size_t(x.ndim()) + 1);
  if (has_any_rank(layout)) {
    shape.assign(x.shape(), x.shape() + x.ndim() - 1);
  } else {
    shape.push_back(signals.num_batches);
  }
  const specfast::FrameStrides strides =
      append_axes(layout, signals.num_channels, num_frames, num_rows, shape);
  return {std::move(shape), strides, num_frames};
}

OutputAxes output_axes_of_signal(Layout layout, std::int64_t num_channels, std::int64_t num_frames,
                                 std::int64_t num_rows) {
  Shape shape;
  const specfast::FrameStrides strides =
      append_axes(layout, num_channels, num_frames, num_rows, shape);
  return {std::move(shape), strides, num_frames};
}

}  // namespace specfast_python
