// SPDX-License-Identifier: BSD-3-Clause
// What the kernels are given: plain structures, passed by value, with pointers to the memory of the
// device.
#pragma once

#include "cuda/kernels/isa.h"
#include "seam/backend.h"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename T>
struct DevicePlan {
  // Tables of factors hold each value once; the fields of the hop matrix, of the first pass and of
  // the places of bins are not used. passes[p].twiddles holds, for q = 1 .. radix - 1 and
  // k = 0 .. length - 1, pairs (cos, -sin) of 2 pi k q / (length * radix), where `length` is the
  // product of the radices before.
  TilePlan<T> tile;
  int64_t hop;
  Padding padding;
  T top_db;
  bool has_common_maximum;
  // Frames of a signal are computed in groups of so many; the last group may have fewer.
  int32_t group_frames;
};

// What one call adds.
template <typename T>
struct DeviceCall {
  DevicePlan<T> plan;
  BackendCall arrays;
  int64_t num_groups;  // of one signal
  // [signal][group]: the extrema of the levels, written where the plan tracks them.
  TileExtrema<T>* extrema;
  // [signal], or one where has_common_maximum is set: the floors of top_db.
  T* floors;
};

// A group of consecutive frames of one signal. Divisions are few, and in 32 bits: the grid is below
// 2^31 blocks, and a division takes a GPU longer than a butterfly.
struct Group {
  int64_t signal, first_frame;
  int32_t num_frames;
  int64_t input, output;  // where the signal and its results begin, in elements

  template <typename T>
  SPECFAST_INLINE Group(const DeviceCall<T>& call, int64_t index) {
    const uint32_t number = uint32_t(index), groups = uint32_t(call.num_groups);
    const uint32_t which = number / groups;
    signal = which;
    first_frame = int64_t(number - which * groups) * call.plan.group_frames;
    const BackendCall& arrays = call.arrays;
    const int64_t left = arrays.num_frames - first_frame;
    num_frames = left < call.plan.group_frames ? int32_t(left) : call.plan.group_frames;
    const uint32_t channels = uint32_t(arrays.num_channels);
    const uint32_t clip = channels == 1 ? which : which / channels,
                   channel = which - clip * channels;
    input = clip * arrays.in_batch_stride + channel * arrays.in_channel_stride;
    output = clip * arrays.out_batch_stride + channel * arrays.out_channel_stride;
  }

  // Returns where the results of a frame of the group begin.
  SPECFAST_INLINE int64_t output_of(const BackendCall& arrays, int frame) const {
    return output + (first_frame + frame) * arrays.out_frame_stride;
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
