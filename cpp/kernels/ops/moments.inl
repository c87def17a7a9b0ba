// SPDX-License-Identifier: BSD-3-Clause
// Sums over the frames of a tile, for each of its rows, and rows that are shifted and scaled. Rows
// are neighbours in memory here, so that a vector holds several of them.
#pragma once

#include "kernels/lanes/simd.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Returns frames [num_frames][num_rows], copied to `scratch` unless rows lie together already.
template <typename T>
const T* frames_of_rows(const T* values, int64_t num_frames, int64_t num_rows,
                        int64_t& frame_stride, int64_t row_stride, T* scratch) {
  if (row_stride == 1) return values;
  int64_t row = 0;
  if (frame_stride == 1) {
    row = num_rows - num_rows % kGroup<T>;
    copy_transposed(values, row_stride, row, num_frames, scratch, num_rows);
  }
  for (; row < num_rows; ++row) {
    for (int64_t f = 0; f < num_frames; ++f)
      scratch[f * num_rows + row] = values[f * frame_stride + row * row_stride];
  }
  frame_stride = num_rows;
  return scratch;
}

template <typename T>
void row_moments(const T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                 int64_t row_stride, T* scratch, const RowMoments<T>& moments) {
  const T* const frames =
      frames_of_rows(values, num_frames, num_rows, frame_stride, row_stride, scratch);
  T* const first = moments.first;
  T* const sum = moments.sum;
  T* const squares = moments.squares;
  for (int64_t row = 0; row < num_rows; ++row) {
    first[row] = frames[row];
    // NaN and infinity must not be lost in the first frame.
    sum[row] = squares[row] = frames[row] - frames[row];
  }
  for (int64_t f = 1; f < num_frames; ++f) {
    const T* const frame = frames + f * frame_stride;
    for (int64_t row = 0; row < num_rows; ++row) {
      const T distance = frame[row] - first[row];
      sum[row] += distance;
      squares[row] += distance * distance;
    }
  }
}

template <typename T>
void scale_rows(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, const T* shift, const T* factor) {
  if (row_stride == 1) {
    for (int64_t f = 0; f < num_frames; ++f) {
      T* const frame = values + f * frame_stride;
      for (int64_t row = 0; row < num_rows; ++row)
        frame[row] = (frame[row] - shift[row]) * factor[row];
    }
    return;
  }
  using V = Widest<T>;
  for (int64_t row = 0; row < num_rows; ++row) {
    T* const at = values + row * row_stride;
    int64_t f = 0;
    for (; frame_stride == 1 && f + kLanesOf<V> <= num_frames; f += kLanesOf<V>)
      store_unaligned(at + f, (load_unaligned<V>(at + f) - shift[row]) * factor[row]);
    for (; f < num_frames; ++f)
      at[f * frame_stride] = (at[f * frame_stride] - shift[row]) * factor[row];
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
