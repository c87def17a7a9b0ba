// SPDX-License-Identifier: BSD-3-Clause
//
// Views say where samples and frames lie, so that a call needs no structure filled by hand. A view
// owns nothing: what it points to must outlive its use. All strides are in elements and may be
// negative or, for samples, zero.
//
// Usage:
//
//     specfast::Signals stereo = specfast::interleaved(pcm.data(), 2, num_samples);
//     stereo.scale = 1.0 / 32768;
//     const specfast::Frames frames = specfast::by_row(levels);  // a std::vector<float>
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "types.h"

namespace specfast {

template <typename T>
constexpr specfast_dtype dtype_of() {
  using Value = std::remove_const_t<T>;
  static_assert(std::is_same_v<Value, float> || std::is_same_v<Value, double> ||
                    std::is_same_v<Value, std::int16_t>,
                "specfast takes float, double and int16_t");
  return std::is_same_v<Value, float>    ? SPECFAST_FLOAT32
         : std::is_same_v<Value, double> ? SPECFAST_FLOAT64
                                         : SPECFAST_INT16;
}

// The samples of num_batches * num_channels signals, strides in elements. Sample (b, c, s) is
// samples[b * batch_stride + c * channel_stride + s * sample_stride]. A stream has no batches.
struct Signals {
  const void* samples = nullptr;
  specfast_dtype dtype = SPECFAST_FLOAT32;
  std::int64_t num_batches = 1, num_channels = 1, num_samples = 0;
  std::int64_t batch_stride = 0, channel_stride = 0, sample_stride = 1;
  // The samples are multiplied by this number, 1.0 / 32768 for 16-bit PCM in [-1, 1); 0 leaves them
  // as they are.
  double scale = 0;
};

// samples[num_channels][num_samples]
template <typename T>
Signals contiguous(const T* samples, std::int64_t num_channels, std::int64_t num_samples) noexcept {
  Signals signals;
  signals.samples = samples;
  signals.dtype = dtype_of<T>();
  signals.num_channels = num_channels;
  signals.num_samples = num_samples;
  signals.channel_stride = num_samples;
  return signals;
}

// samples[num_samples][num_channels], as in most sound files.
template <typename T>
Signals interleaved(const T* samples, std::int64_t num_channels,
                    std::int64_t num_samples) noexcept {
  Signals signals = contiguous(samples, num_channels, num_samples);
  signals.channel_stride = 1;
  signals.sample_stride = num_channels;
  return signals;
}

// One signal of num_samples samples, each `stride` elements after the one before it.
template <typename T>
Signals strided(const T* samples, std::int64_t num_samples, std::int64_t stride) noexcept {
  Signals signals = contiguous(samples, 1, num_samples);
  signals.sample_stride = stride;
  return signals;
}

// How far apart, in elements, two neighbours on each axis are.
struct FrameStrides {
  std::int64_t batch = 0, channel = 0, frame = 0, row = 1;
};

enum class FrameOrder { kByFrame, kByRow, kByStrides };

// Where the rows of frames lie: in one of two orders without gaps, or as strides say.
template <typename Pointer>
struct BasicFrames {
  Pointer values = nullptr;
  specfast_dtype dtype = SPECFAST_FLOAT32;
  FrameOrder order = FrameOrder::kByStrides;
  // Room that there is: elements of an order without gaps, or frames at given strides.
  std::int64_t num_values = 0, num_frames = 0;
  FrameStrides strides = {};

  // How many frames of so many signals there is room for.
  std::int64_t max_frames(std::int64_t batches, std::int64_t channels,
                          std::int64_t rows) const noexcept {
    if (order == FrameOrder::kByStrides) return num_frames;
    if (batches <= 0 || channels <= 0 || rows <= 0) return INT64_MAX;
    return num_values / batches / channels / rows;
  }
  // The strides that go with so many frames of so many channels.
  FrameStrides strides_of(std::int64_t channels, std::int64_t frames, std::int64_t rows) const {
    if (order == FrameOrder::kByStrides) return strides;
    const bool by_frame = order == FrameOrder::kByFrame;
    const std::int64_t each = frames * rows;
    return {channels * each, each, by_frame ? rows : 1, by_frame ? 1 : frames};
  }
};
using Frames = BasicFrames<void*>;             // to be written
using ConstFrames = BasicFrames<const void*>;  // to be read
template <typename T>
using FramesOf = std::conditional_t<std::is_const_v<T>, ConstFrames, Frames>;

// values[batch][channel][frame][row]: one column of a spectrogram after the other.
template <typename T>
FramesOf<T> by_frame(T* values, std::size_t num_values) noexcept {
  return {values, dtype_of<T>(), FrameOrder::kByFrame, std::int64_t(num_values), 0, {}};
}
// values[batch][channel][row][frame], as the Python layers lay mel spectrograms out.
template <typename T>
FramesOf<T> by_row(T* values, std::size_t num_values) noexcept {
  return {values, dtype_of<T>(), FrameOrder::kByRow, std::int64_t(num_values), 0, {}};
}
// Both for a std::vector or another container with data() and size().
template <typename Container>
auto by_frame(Container& values) noexcept {
  return by_frame(values.data(), values.size());
}
template <typename Container>
auto by_row(Container& values) noexcept {
  return by_row(values.data(), values.size());
}
// Element (b, c, frame, row) at b * strides.batch + c * strides.channel + frame * strides.frame +
// row * strides.row, with room for num_frames frames of every signal.
template <typename T>
FramesOf<T> by_strides(T* values, const FrameStrides& strides, std::int64_t num_frames) noexcept {
  return {values, dtype_of<T>(), FrameOrder::kByStrides, 0, num_frames, strides};
}

}  // namespace specfast
