// SPDX-License-Identifier: BSD-3-Clause
// Runs one tile from samples to output, and defines the table that the engine calls. An ISA file
// defines SPECFAST_ISA_NAME, SPECFAST_VECTOR_BYTES and the ISA family, then includes this file;
// nothing else does.
#pragma once

#include "kernels/adjoint.inl"
#include "kernels/condition.inl"
#include "kernels/gather.inl"
#include "kernels/inverse.inl"
#include "kernels/lanes/stage_clock.inl"
#include "kernels/ops/bands.inl"
#include "kernels/ops/cepstra.inl"
#include "kernels/ops/moments.inl"
#include "kernels/ops/pcen.inl"
#include "kernels/ops/phases.inl"
#include "kernels/ops/unmix.inl"
#include "kernels/transform/fallback.inl"
#include "kernels/transform/product.inl"
#include "kernels/transform/untangle.inl"
#include "kernels/workspace.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Where the parts of a tile's workspace begin, in elements; the hop matrix is the first. Parts that
// are not needed at the same time share their memory, which is in the cache then: rows take the
// place of the hop matrix (but not with trained weights, which read it to the end), and bands that
// of the transform.
struct WorkspaceLayout {
  int64_t rows, transform, bands, finished, scratch, conditioned, end;
};

template <typename T>
WorkspaceLayout workspace_layout(const TilePlan<T>& plan, int64_t lanes) {
  const auto larger = [](int64_t a, int64_t b) { return a > b ? a : b; };
  const int64_t hops = aligned_count<T>(plan.hop_rows * plan.hop_columns);
  const int64_t rows =
      aligned_count<T>((plan.num_bands ? plan.num_bins : plan.num_output_rows) * lanes);
  const int64_t transform = aligned_count<T>(plan.dft_length * lanes);
  WorkspaceLayout layout;
  layout.rows = plan.trained_weights ? hops : 0;
  layout.transform = larger(hops, layout.rows + rows);
  layout.bands = layout.transform;
  // The levels, and behind them an energy and what becomes of both.
  const bool has_more = plan.behind_levels.is_used;
  layout.finished = layout.bands + aligned_count<T>((plan.num_bands + has_more) * lanes);
  const int64_t finished = has_more ? aligned_count<T>(plan.num_output_rows * lanes) : 0;
  layout.scratch = larger(layout.transform + transform, layout.finished + finished);
  layout.conditioned = layout.scratch + aligned_count<T>(fallback_scratch_size(plan) * lanes);
  layout.end = layout.conditioned + conditioned_size(plan, lanes);
  return layout;
}

template <typename T, int kLanes>
size_t workspace_bytes(const TilePlan<T>& plan) {
  return size_t(workspace_layout(plan, kLanes).end) * sizeof(T);
}

// Copies rows of lanes to the caller's layout.
template <typename T, int kLanes>
SPECFAST_NOINLINE void store_rows(const T* rows, int64_t num_rows, const TileArgs<T>& args) {
  if (args.row_stride == 1) {
    constexpr int kSide = kGroup<T>;
    const int64_t whole = num_rows - num_rows % kSide;
    copy_transposed(rows, kLanes, whole, args.num_frames, args.out, args.frame_stride);
    rows += whole * kLanes;
    for (int64_t row = whole; row < num_rows; ++row, rows += kLanes) {
      for (int64_t f = 0; f < args.num_frames; ++f) args.out[f * args.frame_stride + row] = rows[f];
    }
    return;
  }
  for (int64_t row = 0; row < num_rows; ++row, rows += kLanes) {
    T* target = args.out + row * args.row_stride;
    for (int64_t f = 0; f < args.num_frames; ++f) target[f * args.frame_stride] = rows[f];
  }
}

// Turns the levels of a tile into rows of the output, where they are not these rows themselves.
template <typename T, int kLanes>
void finish_tile(const TilePlan<T>& plan, T* levels, const TileArgs<T>& args, T* finished) {
  using V = Vec<T, kLanes>;
  const bool direct = args.frame_stride == 1 && args.num_frames == kLanes;
  rows_behind_levels<V>(plan, levels, direct ? args.out : finished,
                        direct ? args.row_stride : kLanes);
  if (!direct) store_rows<T, kLanes>(finished, plan.num_output_rows, args);
}

template <typename T, int kLanes>
void finish_rows(const TilePlan<T>& plan, const TileArgs<T>& args) {
  finish_tile<T, kLanes>(plan, args.levels, args, static_cast<T*>(args.workspace));
}

// Turns the energies of the bands into levels and, unless a scope operation has to see these first,
// into what follows them.
template <typename T, int kLanes>
void run_behind_bands(const TilePlan<T>& plan, T* bands, Vec<T, kLanes> total,
                      Vec<T, kLanes> energy, T* finished, TileArgs<T>& args) {
  using V = Vec<T, kLanes>;
  T* const levels = args.levels ? args.levels : bands;
  const Extrema<V> extrema = level_bands<V>(plan, bands, levels, kLanes);
  if (plan.track_extrema) args.extrema = extrema.reduce(total, args.num_frames);
  if (plan.behind_levels.has_energy) store(levels + plan.num_bands * kLanes, energy);
  if (!args.levels) finish_tile<T, kLanes>(plan, levels, args, finished);
}

// Runs a tile of one vector of frames.
template <typename T, int kLanes>
void run_tile(const TilePlan<T>& plan, TileArgs<T>& args) {
  using V = Vec<T, kLanes>;
  const WorkspaceLayout layout = workspace_layout(plan, kLanes);
  T* const hops = static_cast<T*>(args.workspace);
  T* const spectrum = hops + layout.transform;
  T* const rows = hops + layout.rows;
  T* const bands = hops + layout.bands;

  StageTimer<T> timer(args);
  fill_hop_matrix<V>(plan, args, hops);
  const T* samples = hops;
  V energy = V{};
  if (plan.conditioning.is_used) {
    energy = condition_frames<V>(plan, hops, hops + layout.conditioned);
    samples = hops + layout.conditioned;
  }
  timer.end(kStageGather);
  if (plan.num_passes > 0) {
    first_pass<V>(samples, plan, spectrum);
    timer.end(kStageFirstPass);
    middle_passes<V>(plan, args, spectrum);
    timer.end(kStagePasses);
  } else {
    fallback_transform<V>(samples, plan, spectrum, hops + layout.scratch);
    timer.end(kStageFirstPass);
  }

  // A full tile whose frames are neighbours in the output needs no detour.
  const bool direct = args.frame_stride == 1 && args.num_frames == kLanes;
  if (plan.num_bands == 0) {
    T* const to = direct ? args.out : rows;
    const int64_t stride = direct ? args.row_stride : kLanes;
    rows_function<V>(plan)(plan, spectrum, to, stride);
    timer.end(kStageRows);
    if (const auto finish = function_of_operation<FinishFunctions<V>>(plan))
      finish(plan, to, stride);
    timer.end(kStageLevel);
    if (!direct) store_rows<T, kLanes>(rows, plan.num_output_rows, args);
    timer.end(kStageStore);
    return;
  }
  rows_function<V>(plan)(plan, spectrum, rows, kLanes);
  timer.end(kStageRows);
  // Where frames are neighbours in the output, its lines are fetched: those of the last frame,
  // because the tile before wrote to those of the first.
  const bool by_rows = args.frame_stride == 1;
  const V total = plan.dense_range ? sum_dense_bands<V>(plan, rows, bands)
                                   : sum_bands<V>(plan, rows, bands,
                                                  by_rows ? args.out + args.num_frames - 1 : bands,
                                                  by_rows ? args.row_stride : kLanes);
  timer.end(kStageSums);
  if (plan.behind_levels.is_used || args.levels) {
    run_behind_bands<T, kLanes>(plan, bands, total, energy, hops + layout.finished, args);
    timer.end(kStageLevel);
    return;
  }
  const Extrema<V> extrema =
      level_bands<V>(plan, bands, direct ? args.out : bands, direct ? args.row_stride : kLanes);
  timer.end(kStageLevel);
  if (!direct) store_rows<T, kLanes>(bands, plan.num_bands, args);
  timer.end(kStageStore);
  if (plan.track_extrema) args.extrema = extrema.reduce(total, args.num_frames);
}

// Runs a tile of kVectors vectors of frames with trained weights.
template <typename T, int kLanes, int kVectors>
void run_product_tile(const TilePlan<T>& plan, TileArgs<T>& args) {
  using V = Vec<T, kLanes>;
  constexpr int kTileLanes = kLanes * kVectors;
  T* const hops = static_cast<T*>(args.workspace);
  T* const rows = hops + workspace_layout(plan, kTileLanes).rows;
  fill_hop_matrix<V>(plan, args, hops);
  const bool direct = args.frame_stride == 1 && args.num_frames == kTileLanes;
  T* const to = direct ? args.out : rows;
  const int64_t stride = direct ? args.row_stride : kTileLanes;
  if (args.spectrum) {
    rows_from_product<Stft, kVectors, V>(plan, hops, args.spectrum, kTileLanes);
    function_of_operation<RowsFromPlanes<kVectors, V>>(plan)(plan, args.spectrum, to, stride);
  } else {
    function_of_operation<RowsFromProduct<kVectors, V>>(plan)(plan, hops, to, stride);
  }
  if (const auto finish = function_of_operation<FinishFunctions<V>>(plan)) {
    for (int v = 0; v < kVectors; ++v) finish(plan, to + v * kLanes, stride);
  }
  if (!direct) store_rows<T, kTileLanes>(rows, plan.num_output_rows, args);
}

template <typename T, int kLanes>
void clamp(T* values, int64_t num_frames, int64_t num_rows, int64_t frame_stride,
           int64_t row_stride, T floor) {
  const auto raise = [floor](T& value) { value = floor > value || floor != floor ? floor : value; };
  for (int64_t row = 0; row < num_rows; ++row) {
    T* target = values + row * row_stride;
    for (int64_t f = 0; f < num_frames; ++f) raise(target[f * frame_stride]);
  }
}

// Where the rows of a tile begin whose bins are found from its bands, in elements.
template <typename T>
struct UnmixLayout {
  int64_t errors, bins, point, gradient, end;

  UnmixLayout(const TilePlan<T>& plan, int64_t lanes) {
    const int64_t bands_count = aligned_count<T>(plan.num_bands * lanes);
    const int64_t bins_count = aligned_count<T>(plan.num_bins * lanes);
    errors = bands_count;
    bins = errors + bands_count;
    point = bins + bins_count;
    gradient = point + bins_count;
    end = gradient + bins_count;
  }
};

template <typename T, int kLanes>
size_t unmix_bytes(const TilePlan<T>& plan) {
  return size_t(UnmixLayout<T>(plan, kLanes).end) * sizeof(T);
}

template <typename T, int kLanes>
void unmix(const TilePlan<T>& plan, const UnmixArgs<T>& args) {
  const UnmixLayout<T> layout(plan, kLanes);
  T* const rows = static_cast<T*>(args.workspace);
  load_lanes<T, kLanes>(args.energies, args.num_frames, plan.num_bands, args.energy_frame_stride,
                        args.band_stride, rows);
  unmix_bands<Vec<T, kLanes>>(plan, args.steps, args.num_iterations,
                              {rows, rows + layout.errors, rows + layout.bins, rows + layout.point,
                               rows + layout.gradient});
  TileArgs<T> target{};
  target.num_frames = args.num_frames;
  target.out = args.bins;
  target.frame_stride = args.bin_frame_stride;
  target.row_stride = args.bin_stride;
  store_rows<T, kLanes>(rows + layout.bins, plan.num_bins, target);
}

template <typename T, int kLanes>
constexpr TileKernel<T> tile_kernel() {
  return {kLanes,
          workspace_bytes<T, kLanes>,
          run_tile<T, kLanes>,
          clamp<T, kLanes>,
          finish_rows<T, kLanes>,
          adjoint_bytes<T, kLanes>,
          run_adjoint<T, kLanes, 1, false>,
          inverse_bytes<T, kLanes>,
          run_inverse<T, kLanes>};
}

template <typename T, int kLanes, int kVectors>
constexpr TileKernel<T> product_kernel() {
  constexpr int kTileLanes = kLanes * kVectors;
  return {kTileLanes,
          workspace_bytes<T, kTileLanes>,
          run_product_tile<T, kLanes, kVectors>,
          clamp<T, kTileLanes>,
          nullptr,  // trained weights feed no bands
          adjoint_bytes<T, kTileLanes>,
          run_adjoint<T, kLanes, kVectors, true>,
          nullptr,
          nullptr};
}

template <typename T>
constexpr PrecisionKernels<T> precision_kernels() {
  constexpr int kLanes = kLanesOf<Widest<T>>;
  return {tile_kernel<T, kLanes>(),
          tile_kernel<T, kGroup<T>>(),
          product_kernel<T, kLanes, 2>(),
          product_kernel<T, kGroup<T>, 1>(),
          kFactorCopies<T>,
          kProductRows,
          kOuterColumns<T>,
          add_outer<T>,
          row_moments<T>,
          advance_pcen<T>,
          apply_pcen<T>,
          scale_rows<T>,
          turn_phases<T>,
          unmix_bytes<T, kLanes>,
          unmix<T, kLanes>,
          create_fallback_rfft<T>,
          destroy_fallback_rfft<T>};
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE

extern "C" const specfast::engine::KernelTable SPECFAST_JOIN(specfast_kernels_, SPECFAST_ISA_NAME);
extern "C" const specfast::engine::KernelTable SPECFAST_JOIN(specfast_kernels_,
                                                             SPECFAST_ISA_NAME) = {
    SPECFAST_STRING(SPECFAST_ISA_NAME),
    SPECFAST_NAMESPACE::precision_kernels<float>(),
    SPECFAST_NAMESPACE::precision_kernels<double>(),
#if defined(SPECFAST_STAGE_CLOCK)
    SPECFAST_NAMESPACE::peak_flop_per_tick,
#endif
};
