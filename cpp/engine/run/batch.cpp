// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/batch.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/base/subnormals.h"
#include "engine/run/job.h"
#include "engine/run/locate.h"
#include "engine/run/scope.h"

namespace specfast::engine {
namespace {

template <typename In, typename T>
class BatchRun {
 public:
  BatchRun(const Plan& plan, Workspace& workspace, const Job& job, const ExecuteOptions& options)
      : plan_(plan.precision<T>()),
        workspace_(workspace),
        job_(job),
        spectra_(static_cast<T*>(options.spectra)),
        locator_(plan, job),
        pad_value_(plan.config().pad_value),
        num_rows_(plan.num_rows()) {
    if (!options.with_scope) return;
    for (const ScopeOperation<T>* operation : scope_operations<T>(plan.config()))
      passes_.push_back(operation->make_pass(plan, job));
    if (plan_.defers_rows()) {
      levels_ = AlignedBuffer<T>(checked_multiply(checked_multiply(job.num_signals, job.num_tiles),
                                                  plan_.level_values(plan_.wide())));
    }
  }

  void run() {
    // Below about a quarter of a million samples' work a second thread costs more than it brings.
    constexpr int64_t kMinWorkPerThread = 1 << 17;
    for_each_run(kMinWorkPerThread / (plan_.wide().kernel->lanes * plan_.frame_work()) + 1,
                 [this](int thread, int64_t signal, int64_t first_tile, int64_t num_tiles) {
                   for (int64_t tile = first_tile; tile < first_tile + num_tiles; ++tile)
                     compute_tile(thread, signal, tile);
                 });
    for (std::size_t pass = 0; pass < passes_.size(); ++pass) {
      finish_pass(*passes_[pass]);
      constexpr int64_t kMinTilesPerThread = 256;
      for_each_run(kMinTilesPerThread,
                   [&](int thread, int64_t signal, int64_t first_tile, int64_t num_tiles) {
                     change_tiles(pass, thread, signal, first_tile, num_tiles);
                   });
    }
  }

 private:
  // Calls body(thread, signal, first_tile, num_tiles) for runs of tiles of one signal.
  template <typename Body>
  void for_each_run(int64_t min_tiles_per_thread, const Body& body) {
    parallel_for(job_.num_signals * job_.num_tiles, min_tiles_per_thread, workspace_.team(),
                 [&](int thread, int64_t begin, int64_t end) {
                   // Gradients, which read kept spectra, compute with subnormal numbers.
                   const FlushSubnormals flush(plan_.flushes_subnormals() && !spectra_);
                   int64_t signal = begin / job_.num_tiles, tile = begin % job_.num_tiles;
                   while (begin < end) {
                     const int64_t num_tiles = std::min(job_.num_tiles - tile, end - begin);
                     body(thread, signal, tile, num_tiles);
                     begin += num_tiles;
                     ++signal;
                     tile = 0;
                   }
                 });
  }

  void finish_pass(ScopePass<T>& pass) {
    constexpr int64_t kMinSignalsPerThread = 1;
    parallel_for(job_.num_signals, kMinSignalsPerThread, workspace_.team(),
                 [&pass](int, int64_t begin, int64_t end) {
                   for (int64_t signal = begin; signal < end; ++signal) pass.finish_signal(signal);
                 });
    pass.finish();
  }

  // The valid frames of consecutive tiles in the caller's memory.
  TileOutput<T> output_of(int64_t signal, int64_t first_tile, int64_t num_tiles = 1) const {
    const specfast_batch& batch = job_.batch;
    const int64_t lanes = plan_.wide().kernel->lanes, first_frame = first_tile * lanes;
    T* const values = job_.signal_address(static_cast<T*>(batch.output), signal,
                                          batch.out_batch_stride, batch.out_channel_stride) +
                      first_frame * batch.out_frame_stride;
    return {values,
            std::clamp<int64_t>(job_.valid_frames_of(signal) - first_frame, 0, num_tiles * lanes),
            plan_.wide().tile.num_output_rows, batch.out_frame_stride, batch.out_row_stride};
  }

  // The levels of a tile that wait for a scope operation.
  TileOutput<T> levels_of(int64_t signal, int64_t tile) const {
    const TileVariant<T>& wide = plan_.wide();
    T* const values = levels_.get() + (signal * job_.num_tiles + tile) * plan_.level_values(wide);
    const int64_t num_frames = output_of(signal, tile).num_frames;
    return {values, num_frames, wide.tile.num_bands, 1,
            plan_.variant_for(num_frames).kernel->lanes};
  }

  T* scratch_of(int thread) const { return reinterpret_cast<T*>(workspace_.of_thread(thread)); }

  void compute_tile(int thread, int64_t signal, int64_t tile) {
    const TileOutput<T> output = output_of(signal, tile);
    constexpr T kInfinity = std::numeric_limits<T>::infinity();
    TileExtrema<T> extrema{-kInfinity, kInfinity, false};
    if (output.num_frames > 0) extrema = run_tile(thread, signal, tile, output);
    if (output.num_frames < frames_in(tile)) fill(tile, output);
    if (!passes_.empty()) passes_[0]->observe(signal, tile, output, extrema, scratch_of(thread));
  }

  TileExtrema<T> run_tile(int thread, int64_t signal, int64_t tile, const TileOutput<T>& output) {
    const TileVariant<T>& variant = plan_.variant_for(output.num_frames);
    std::byte* const scratch = workspace_.of_thread(thread);
    TileArgs<T> args;
    args.num_frames = output.num_frames;
    args.workspace = scratch;
    locator_.locate_samples(variant, signal, tile * plan_.wide().kernel->lanes,
                            reinterpret_cast<T*>(scratch + variant.tile_bytes), args);
    locator_.locate_next(signal, tile, args);
    args.out = output.values;
    args.frame_stride = output.frame_stride;
    args.row_stride = output.row_stride;
    if (levels_.get()) args.levels = levels_of(signal, tile).values;
    if (spectra_) {
      args.spectrum = spectra_ + (signal * job_.num_tiles + tile) * spectrum_values(plan_.wide());
    }
    variant.kernel->run(variant.tile, args);
    return args.extrema;
  }

  int64_t frames_in(int64_t tile) const {
    const int64_t lanes = plan_.wide().kernel->lanes;
    return std::min(lanes, job_.num_frames - tile * lanes);
  }

  // Fills the frames of a tile that are not valid.
  void fill(int64_t tile, const TileOutput<T>& output) const {
    const T value = T(pad_value_);
    for (int64_t row = 0; row < num_rows_; ++row) {
      T* const to = output.values + row * output.row_stride;
      for (int64_t f = output.num_frames; f < frames_in(tile); ++f)
        to[f * output.frame_stride] = value;
    }
  }

  // Applies a scope operation to consecutive tiles, and lets the next one see the result.
  void change_tiles(std::size_t pass, int thread, int64_t signal, int64_t first_tile,
                    int64_t num_tiles) {
    const int64_t step = passes_[pass]->applies_to_runs() ? num_tiles : 1;
    for (int64_t tile = first_tile; tile < first_tile + num_tiles; tile += step)
      change_run(pass, thread, signal, tile, step);
    if (pass + 1 == passes_.size()) return;
    for (int64_t tile = first_tile; tile < first_tile + num_tiles; ++tile)
      passes_[pass + 1]->observe(signal, tile, output_of(signal, tile), {}, scratch_of(thread));
  }

  void change_run(std::size_t pass, int thread, int64_t signal, int64_t tile, int64_t num_tiles) {
    const TileOutput<T> output = output_of(signal, tile, num_tiles);
    if (output.num_frames == 0) return;
    const bool waits = pass == 0 && levels_.get();
    passes_[pass]->apply(signal, tile, waits ? levels_of(signal, tile) : output);
    if (waits) finish_rows(thread, signal, tile, output);
  }

  void finish_rows(int thread, int64_t signal, int64_t tile, const TileOutput<T>& output) const {
    const TileVariant<T>& variant = plan_.variant_for(output.num_frames);
    TileArgs<T> args;
    args.levels = levels_of(signal, tile).values;
    args.workspace = workspace_.of_thread(thread);
    args.num_frames = output.num_frames;
    args.out = output.values;
    args.frame_stride = output.frame_stride;
    args.row_stride = output.row_stride;
    variant.kernel->finish_rows(variant.tile, args);
  }

  const PrecisionPlan<T>& plan_;
  Workspace& workspace_;
  const Job& job_;
  T* spectra_;
  SampleLocator<In, T> locator_;
  double pad_value_;
  int64_t num_rows_;
  std::vector<std::unique_ptr<ScopePass<T>>> passes_;
  AlignedBuffer<T> levels_;  // [signal][tile], if rows wait for the first pass
};

template <typename T>
void execute_as(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
                const ExecuteOptions& options) {
  const Job job = check_input(plan, batch, plan.precision<T>().wide().kernel->lanes);
  if (job.is_empty()) return;
  check_frames("output", batch.output, plan, job,
               {batch.out_batch_stride, batch.out_channel_stride, batch.out_frame_stride,
                batch.out_row_stride});
  if (options.spectra) {
    check_kept(plan, batch.num_samples, options.spectra);
    if (batch.num_frames || batch.lengths || batch.starts) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "num_frames, lengths and starts must be 0 and NULL where spectra are kept, "
                  "received num_frames=" +
                      std::to_string(batch.num_frames));
    }
  }
  with_input_type(batch.in_dtype, [&](const auto* null) {
    using In = std::remove_cv_t<std::remove_pointer_t<decltype(null)>>;
    BatchRun<In, T>(plan, workspace, job, options).run();
  });
}

}  // namespace

void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options) {
  if (!workspace.fits(plan.workspace_bytes())) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "workspace is too small for this plan: create one for it");
  }
  with_precision(plan.config().precision,
                 [&](auto zero) { execute_as<decltype(zero)>(plan, workspace, batch, options); });
}

}  // namespace specfast::engine
