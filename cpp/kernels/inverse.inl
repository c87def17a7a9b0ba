// SPDX-License-Identifier: BSD-3-Clause
// A tile of an inverse transform: the spectra of its frames become samples, added to those that
// earlier frames have left.
//
// Each place of the hop matrix begins with the sum of the frames before the tile, and then takes
// the frames of the tile from the first to the last. So a sample is the sum of its frames in their
// order, wherever tiles begin.
#pragma once

#include "kernels/gather.inl"
#include "kernels/transform/inverse.inl"
#include "kernels/workspace.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Where the parts of the workspace begin, in elements; the hop matrix is the first.
template <typename T>
struct InverseLayout {
  int64_t transform, spectrum, scratch, end;

  InverseLayout(const TilePlan<T>& plan, int64_t lanes) {
    const auto after = [](int64_t begin, int64_t count) { return begin + aligned_count<T>(count); };
    transform = after(0, plan.hop_rows * plan.hop_columns);
    spectrum = after(transform, plan.dft_length * lanes);
    scratch = after(spectrum, 2 * plan.num_bins * lanes);
    end = after(scratch, fallback_scratch_size(plan) * lanes);
  }
};

template <typename T, int kLanes>
size_t inverse_bytes(const TilePlan<T>& plan) {
  return size_t(InverseLayout<T>(plan, kLanes).end) * sizeof(T);
}

// Copies values (frame, row) at from[frame * frame_stride + row * row_stride] to rows of lanes.
// Lanes without a frame become zero.
template <typename T, int kLanes>
void load_lanes(const T* from, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
                int64_t row_stride, T* rows) {
  if (num_frames < kLanes) __builtin_memset(rows, 0, size_t(num_rows * kLanes) * sizeof(T));
  int64_t done = 0;
  if (row_stride == 1) {
    done = num_frames - num_frames % kGroup<T>;
    copy_transposed(from, frame_stride, done, num_rows, rows, kLanes);
  }
  for (int64_t row = 0; row < num_rows; ++row) {
    const T* const at = from + row * row_stride;
    for (int64_t f = done; f < num_frames; ++f) rows[row * kLanes + f] = at[f * frame_stride];
  }
}

// Returns where the spectra of a tile can be read in lanes: in place where frames are neighbours,
// else in a copy at `rows`.
template <typename T, int kLanes>
SpectrumRows<Vec<T, kLanes>> spectrum_rows(const TilePlan<T>& plan, const InverseArgs<T>& args,
                                           T* rows) {
  if (args.frame_stride == 1 && args.num_frames == kLanes)
    return {args.real, args.imag, args.bin_stride};
  if (args.bin_stride == 2 && args.imag - args.real == 1) {
    load_lanes<T, kLanes>(args.real, args.num_frames, 2 * plan.num_bins, args.frame_stride, 1,
                          rows);
    return {rows, rows + kLanes, 2 * kLanes};
  }
  T* const imag = rows + plan.num_bins * kLanes;
  load_lanes<T, kLanes>(args.real, args.num_frames, plan.num_bins, args.frame_stride,
                        args.bin_stride, rows);
  load_lanes<T, kLanes>(args.imag, args.num_frames, plan.num_bins, args.frame_stride,
                        args.bin_stride, imag);
  return {rows, imag, kLanes};
}

// Adds the samples of the frames, windowed, to the hop matrix, the last ones first: each place
// takes its frames in their order. `at(i)` is where sample i of the transform lies and whether it
// is negative there.
template <typename V, typename At>
SPECFAST_INLINE void add_frames(const TilePlan<Scalar<V>>& plan, const At& at, Scalar<V>* hops) {
  for (int64_t n = plan.frame_length - 1; n >= 0; --n) {
    int64_t i = n + plan.phase_origin;
    if (i >= plan.dft_length) i -= plan.dft_length;
    const auto [from, is_negative] = at(i);
    const Scalar<V> window = is_negative ? -plan.window[n] : plan.window[n];
    add_sample<V>(plan, n, 0, load<V>(from) * window, hops);
  }
}

template <typename T, int kLanes>
void add_inverse(const TilePlan<T>& plan, const InverseArgs<T>& args,
                 const InverseLayout<T>& layout, T* hops) {
  using V = Vec<T, kLanes>;
  struct Place {
    const T* from;
    bool is_negative;
  };
  T* const z = hops + layout.transform;
  const SpectrumRows<V> spectrum = spectrum_rows<T, kLanes>(plan, args, hops + layout.spectrum);
  if (plan.num_passes > 0) {
    invert_by_own_passes<V>(plan, spectrum, T(1), z);
    add_frames<V>(
        plan,
        [&](int64_t i) SPECFAST_INLINE_LAMBDA {
          return Place{z + plan.bin_place[i / 2] * 2 * kLanes + i % 2 * kLanes, i % 2 != 0};
        },
        hops);
  } else {
    invert_by_fallback<V>(plan, spectrum, T(1), z, hops + layout.scratch);
    add_frames<V>(
        plan, [&](int64_t i) SPECFAST_INLINE_LAMBDA { return Place{z + i * kLanes, false}; }, hops);
  }
}

template <typename T, int kLanes>
void run_inverse(const TilePlan<T>& plan, const InverseArgs<T>& args) {
  const InverseLayout<T> layout(plan, kLanes);
  T* const hops = static_cast<T*>(args.workspace);
  const int64_t carried = plan.hop_columns - kLanes;
  __builtin_memset(hops, 0, size_t(plan.hop_rows * plan.hop_columns) * sizeof(T));
  copy_transposed(args.carry, plan.hop_rows, carried, plan.hop_rows, hops, plan.hop_columns);
  add_inverse<T, kLanes>(plan, args, layout, hops);
  store_hop_columns(plan, hops, 0, args.num_frames, args.hops, plan.hop_rows);
  store_hop_columns(plan, hops, args.num_frames, carried, args.carry, plan.hop_rows);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
