// SPDX-License-Identifier: BSD-3-Clause
// A tile of an inverse transform: the spectra of its frames become samples, added to those that
// earlier frames have left.
//
// Each place of the hop matrix begins with the sum of the frames before the tile, and then takes
// the frames of the tile from the first to the last. So a sample is the sum of its frames in their
// order, wherever tiles begin. Places that no frame reaches hold nothing of meaning: the next tile
// stores its own samples there before it adds to them.
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
SPECFAST_NOINLINE void load_lanes(const T* from, int64_t num_frames, int64_t num_rows,
                                  int64_t frame_stride, int64_t row_stride, T* rows) {
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

// Copies complex numbers whose frames are neighbours to rows of lanes, all real rows at `real`.
template <typename T, int kLanes>
void load_neighbours(const InverseArgs<T>& args, int64_t num_bins, T* real, T* imag) {
  if (args.num_frames < kLanes) {
    load_lanes<T, kLanes>(args.real, args.num_frames, num_bins, 2, args.bin_stride, real);
    return load_lanes<T, kLanes>(args.imag, args.num_frames, num_bins, 2, args.bin_stride, imag);
  }
  for (int64_t bin = 0; bin < num_bins; ++bin, real += kLanes, imag += kLanes) {
    const T* const from = args.real + bin * args.bin_stride;
    for (int f = 0; f < kLanes; ++f) {
      real[f] = from[2 * f];
      imag[f] = from[2 * f + 1];
    }
  }
}

// Returns where the spectra of a tile can be read in lanes: in place where frames are neighbours,
// else in a copy at `rows`.
template <typename T, int kLanes>
SpectrumRows<Vec<T, kLanes>> spectrum_rows(const TilePlan<T>& plan, const InverseArgs<T>& args,
                                           T* rows) {
  const bool is_complex = args.imag - args.real == 1;
  T* const imag = rows + plan.num_bins * kLanes;
  if (args.frame_stride == 1 && args.num_frames == kLanes)
    return {args.real, args.imag, args.bin_stride};
  if (is_complex && args.bin_stride == 2) {
    load_lanes<T, kLanes>(args.real, args.num_frames, 2 * plan.num_bins, args.frame_stride, 1,
                          rows);
    return {rows, rows + kLanes, 2 * kLanes};
  }
  if (is_complex && args.frame_stride == 2) {
    load_neighbours<T, kLanes>(args, plan.num_bins, rows, imag);
    return {rows, imag, kLanes};
  }
  load_lanes<T, kLanes>(args.real, args.num_frames, plan.num_bins, args.frame_stride,
                        args.bin_stride, rows);
  load_lanes<T, kLanes>(args.imag, args.num_frames, plan.num_bins, args.frame_stride,
                        args.bin_stride, imag);
  return {rows, imag, kLanes};
}

// Adds the samples of the frames, windowed, to the hop matrix, the last ones first: each place
// takes its frames in their order. Samples of the last hop of a frame are stored, as no earlier
// frame of the tile and none before it reaches their places; that they are added to +0 first makes
// a sum of zeros +0 in every tile. `sample(i, window)` is sample i of the transform times a number.
template <typename V, typename Sample>
SPECFAST_INLINE void add_frames(const TilePlan<Scalar<V>>& plan, const Sample& sample,
                                Scalar<V>* hops) {
  const int64_t overlap = (plan.frame_length - 1) / plan.hop_rows;
  const int64_t first_stored = plan.frame_length - plan.hop_rows;
  for (int64_t hop = overlap; hop >= 0; --hop) {
    const int64_t begin = hop * plan.hop_rows;
    const int64_t left = plan.frame_length - begin;
    int64_t row = left < plan.hop_rows ? left : plan.hop_rows;
    Scalar<V>* at = hops + row * plan.hop_columns + hop;
    while (row-- > 0) {
      const int64_t n = begin + row;
      int64_t i = n + plan.phase_origin;
      if (i >= plan.dft_length) i -= plan.dft_length;
      const V value = sample(size_t(i), plan.window[n]);
      at -= plan.hop_columns;
      store_unaligned(at, (n >= first_stored ? V{} : load_unaligned<V>(at)) + value);
    }
  }
}

// Inverts the spectra of a tile, and adds the samples to the hop matrix. Full tiles fuse.
template <typename T, int kLanes>
void add_inverse(const TilePlan<T>& plan, const InverseArgs<T>& args,
                 const InverseLayout<T>& layout, T* hops) {
  using V = Vec<T, kLanes>;
  constexpr bool kIsWide = kLanes == kLanesOf<Widest<T>>;
  T* const z = hops + layout.transform;
  const SpectrumRows<V> spectrum = spectrum_rows<T, kLanes>(plan, args, hops + layout.spectrum);
  if (plan.num_passes > 0) {
    int64_t num_butterflies = 0;
    for (int64_t level = 0; level < plan.num_passes; ++level)
      num_butterflies += plan.passes[0].length / plan.passes[level].radix;
    Prefetcher prefetcher(args, num_butterflies);
    invert_by_own_passes<kIsWide, V>(plan, spectrum, T(1), z, prefetcher);
    prefetcher.finish();
    add_frames<V>(
        plan,
        [&](size_t i, T window) SPECFAST_INLINE_LAMBDA {
          const T* const from = z + plan.bin_place[i / 2] * size_t(2 * kLanes) + i % 2 * kLanes;
          return load<V>(from) * (i % 2 ? -window : window);
        },
        hops);
  } else {
    invert_by_fallback<V>(plan, spectrum, T(1), z, hops + layout.scratch);
    add_frames<V>(
        plan,
        [&](size_t i, T window) SPECFAST_INLINE_LAMBDA { return load<V>(z + i * kLanes) * window; },
        hops);
  }
}

template <typename T, int kLanes>
void run_inverse(const TilePlan<T>& plan, const InverseArgs<T>& args) {
  const InverseLayout<T> layout(plan, kLanes);
  T* const hops = static_cast<T*>(args.workspace);
  const int64_t carried = plan.hop_columns - kLanes;
  copy_transposed(args.carry, plan.hop_rows, carried, plan.hop_rows, hops, plan.hop_columns);
  add_inverse<T, kLanes>(plan, args, layout, hops);
  store_hop_columns(plan, hops, 0, args.num_frames, args.hops, plan.hop_rows);
  store_hop_columns(plan, hops, args.num_frames, carried, args.carry, plan.hop_rows);
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
