// SPDX-License-Identifier: BSD-3-Clause
// A tile backwards: turns the gradient of its output into those of its spectrum and its samples.
//
// The adjoints of the steps of tile.inl run in reverse order. What the derivatives depend on, the
// spectrum and the band energies, is recomputed. The spectrum lies in planes: all real rows, then
// all imaginary rows; its gradient takes the same places, in the modes real and imag only one
// plane.
#pragma once

#include "kernels/condition.inl"
#include "kernels/gather.inl"
#include "kernels/ops/bands.inl"
#include "kernels/ops/cepstra.inl"
#include "kernels/transform/inverse.inl"
#include "kernels/transform/product.inl"
#include "kernels/transform/untangle.inl"
#include "kernels/workspace.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Where the parts of the workspace begin, in elements; the hop matrix is the first.
template <typename T>
struct AdjointLayout {
  int64_t transform, spectrum, cotangent, levels, power, bands, scratch, samples, centered,
      gradient, end;
  // The rows are filled up with zeros to whole groups of kOuterColumns.
  int64_t num_spectrum_rows;

  AdjointLayout(const TilePlan<T>& plan, int64_t lanes) {
    const auto after = [](int64_t begin, int64_t count) { return begin + aligned_count<T>(count); };
    num_spectrum_rows = round_up(2 * plan.num_bins, kOuterColumns<T>);
    transform = after(0, plan.hop_rows * plan.hop_columns);
    spectrum = after(transform, plan.trained_weights ? 0 : plan.dft_length * lanes);
    cotangent = after(spectrum, num_spectrum_rows * lanes);
    levels = after(cotangent, plan.num_output_rows * lanes);
    power = after(levels, plan.num_bands ? (plan.num_bands + 1) * lanes : 0);
    bands = after(power, plan.num_bands ? plan.num_bins * lanes : 0);
    scratch = after(bands, plan.num_bands * lanes);
    samples = after(scratch, fallback_scratch_size(plan) * lanes);
    const int64_t conditioned = conditioned_size(plan, lanes);
    centered = after(samples, conditioned);
    gradient = after(centered, conditioned);
    end = after(gradient, conditioned);
  }
};

template <typename T, int kTileLanes>
size_t adjoint_bytes(const TilePlan<T>& plan) {
  return size_t(AdjointLayout<T>(plan, kTileLanes).end) * sizeof(T);
}

// Copies the caller's gradient of the output to rows of lanes, the reverse of store_rows. Lanes
// without a frame become zero.
template <typename T, int kTileLanes>
void load_rows(const AdjointArgs<T>& args, int64_t num_rows, T* rows) {
  if (args.num_frames < kTileLanes)
    __builtin_memset(rows, 0, size_t(num_rows * kTileLanes) * sizeof(T));
  int64_t done = 0;
  if (args.row_stride == 1) {
    done = args.num_frames - args.num_frames % kGroup<T>;
    copy_transposed(args.cotangent, args.frame_stride, done, num_rows, rows, kTileLanes);
  }
  for (int64_t row = 0; row < num_rows; ++row) {
    const T* const from = args.cotangent + row * args.row_stride;
    for (int64_t f = done; f < args.num_frames; ++f)
      rows[row * kTileLanes + f] = from[f * args.frame_stride];
  }
}

// Sets the lanes without a frame to zero: they may have seen samples behind the last frame, and a
// NaN there times a gradient of zero would reach the frames beside them.
template <typename T, int kTileLanes>
void clear_idle_lanes(int64_t num_frames, int64_t num_rows, T* rows) {
  if (num_frames == kTileLanes) return;
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t f = num_frames; f < kTileLanes; ++f) rows[row * kTileLanes + f] = 0;
  }
}

// Recomputes the spectrum of the tile, in planes.
template <typename T, int kLanes, int kVectors, bool kProduct>
void recompute_spectrum(const TilePlan<T>& plan, const AdjointArgs<T>& args,
                        const AdjointLayout<T>& layout, T* hops) {
  using V = Vec<T, kLanes>;
  T* const transform = hops + layout.transform;
  T* const spectrum = hops + layout.spectrum;
  TileArgs<T> gather{};
  gather.samples = args.samples;
  gather.hop_stride = args.hop_stride;
  fill_hop_matrix<V>(plan, gather, hops);
  const T* samples = hops;
  if (plan.conditioning.is_used) {
    write_conditioned<false, V>(plan, hops, hops + layout.samples, hops + layout.centered);
    samples = hops + layout.samples;
  }
  if constexpr (kProduct) {
    rows_from_product<Stft, kVectors, V>(plan, hops, spectrum, kLanes * kVectors);
  } else if (plan.num_passes > 0) {
    first_pass<V>(samples, plan, transform);
    middle_passes<V>(plan, gather, transform);
    rows_from_own_transform<Stft, V>(plan, transform, spectrum, kLanes);
  } else {
    fallback_transform<V>(samples, plan, transform, hops + layout.scratch);
    rows_from_fallback<Stft, V>(plan, transform, spectrum, kLanes);
  }
}

// Adds the adjoint of the transform to the samples that it has read, at `to`. Only the planes that
// the mode has hold a gradient.
template <typename V>
void add_by_inverse(const TilePlan<Scalar<V>>& plan, const AdjointLayout<Scalar<V>>& layout,
                    Scalar<V>* hops, Scalar<V>* to) {
  const Scalar<V>* const planes = hops + layout.spectrum;
  SpectrumPlanes<V> gradient{planes, planes + plan.num_bins * kLanesOf<V>};
  const SpectrumOpTraits& traits = kSpectrumOps[int(plan.spectrum_op)];
  if (!traits.has_imag_kernel) gradient.imag = nullptr;
  if (!traits.has_real_kernel) gradient = {nullptr, planes};
  if (plan.num_passes > 0) {
    add_by_own_inverse<V>(plan, gradient, hops + layout.transform, to);
  } else {
    add_by_fallback_inverse<V>(plan, gradient, hops + layout.transform, hops + layout.scratch, to);
  }
}

// Adds the gradient of the samples to the hop matrix.
template <typename T, int kLanes>
void add_sample_gradient(const TilePlan<T>& plan, const AdjointArgs<T>& args,
                         const AdjointLayout<T>& layout, T* hops) {
  using V = Vec<T, kLanes>;
  if (!plan.conditioning.is_used) return add_by_inverse<V>(plan, layout, hops, hops);
  const bool has_raw_energy = plan.conditioning.energy == FrameEnergy::kRaw;
  const ConditionedRows<T> rows{hops + layout.samples,
                                has_raw_energy ? hops + layout.centered : nullptr,
                                hops + layout.gradient};
  clear_idle_lanes<T, kLanes>(args.num_frames, plan.frame_length, rows.samples);
  if (has_raw_energy)
    clear_idle_lanes<T, kLanes>(args.num_frames, plan.frame_length, rows.centered);
  __builtin_memset(rows.gradient, 0, size_t((plan.frame_length + 1) * kLanes) * sizeof(T));
  add_by_inverse<V>(plan, layout, hops, rows.gradient);
  const V energy = load<V>(hops + layout.levels + plan.num_bands * kLanes);
  add_condition_gradient<V>(plan, rows, energy, hops);
}

// Runs one tile of kVectors vectors of frames backwards.
template <typename T, int kLanes, int kVectors, bool kProduct>
void run_adjoint(const TilePlan<T>& plan, const AdjointArgs<T>& args) {
  using V = Vec<T, kLanes>;
  constexpr int64_t kTileLanes = kLanes * kVectors;
  const AdjointLayout<T> layout(plan, kTileLanes);
  T* const hops = static_cast<T*>(args.workspace);
  T* const spectrum = hops + layout.spectrum;
  T* const cotangent = hops + layout.cotangent;
  const int64_t num_rows = plan.num_output_rows;
  const bool is_linear = kSpectrumOps[int(plan.spectrum_op)].is_linear;

  if (is_linear) {
    load_rows<T, kTileLanes>(args, num_rows, spectrum);
  } else {
    load_rows<T, kTileLanes>(args, num_rows, cotangent);
    if (args.kept_spectrum) {
      __builtin_memcpy(spectrum, args.kept_spectrum,
                       size_t(2 * plan.num_bins * kTileLanes) * sizeof(T));
    } else {
      recompute_spectrum<T, kLanes, kVectors, kProduct>(plan, args, layout, hops);
    }
    clear_idle_lanes<T, kTileLanes>(args.num_frames, 2 * plan.num_bins, spectrum);
    if (plan.num_bands == 0) {
      function_of_operation<SpectrumGradients<V>>(plan)(plan, cotangent, kTileLanes, spectrum);
    } else if constexpr (!kProduct) {
      level_gradient_of_rows<V>(plan, cotangent, hops + layout.levels);
      function_of_operation<MelGradients<V>>(plan)(plan, hops + layout.levels, hops + layout.power,
                                                   hops + layout.bands, spectrum);
    }
  }
  if (args.spectrum) {
    const int64_t used = is_linear ? num_rows : 2 * plan.num_bins;
    __builtin_memset(spectrum + used * kTileLanes, 0,
                     size_t((layout.num_spectrum_rows - used) * kTileLanes) * sizeof(T));
    T* to = args.spectrum;
    for (int64_t row = 0; row < used; row += kOuterColumns<T>, to += args.spectrum_stride) {
      copy_transposed(spectrum + row * kTileLanes, kTileLanes, kOuterColumns<T>, args.num_frames,
                      to, kOuterColumns<T>);
    }
  }
  if (args.hops) {
    __builtin_memset(hops, 0, size_t(plan.hop_rows * plan.hop_columns) * sizeof(T));
    if constexpr (kProduct) {
      add_by_product<kVectors, V>(plan, args.transposed, spectrum, hops);
    } else {
      add_sample_gradient<T, kLanes>(plan, args, layout, hops);
    }
    store_hop_columns(plan, hops, 0, args.num_hops, args.hops, plan.hop_rows);
  }
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
