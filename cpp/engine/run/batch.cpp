// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/batch.h"

#include <algorithm>
#include <memory>

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
        locator_(plan, job) {
    const ScopeOperation<T>* const scope = scope_operation<T>(plan.config());
    if (scope && options.with_scope) scope_ = scope->make_pass(plan, job);
  }

  void run() {
    // Below about a quarter of a million samples' work a second thread costs more than it brings.
    constexpr int64_t kMinWorkPerThread = 1 << 17;
    for_each_tile(
        kMinWorkPerThread / (plan_.wide().kernel->lanes * plan_.frame_work()) + 1,
        [this](int thread, int64_t signal, int64_t tile) { compute_tile(thread, signal, tile); });
    if (!scope_) return;
    scope_->finish();
    constexpr int64_t kMinTilesPerThread = 256;
    for_each_tile(kMinTilesPerThread, [this](int, int64_t signal, int64_t tile) {
      scope_->apply(signal, tile, output_of(signal, tile));
    });
  }

 private:
  template <typename Body>
  void for_each_tile(int64_t min_tiles_per_thread, const Body& body) {
    parallel_for(job_.num_signals * job_.num_tiles, min_tiles_per_thread, workspace_.team(),
                 [&](int thread, int64_t begin, int64_t end) {
                   const FlushSubnormals flush(plan_.flushes_subnormals());
                   int64_t signal = begin / job_.num_tiles, tile = begin % job_.num_tiles;
                   for (int64_t i = begin; i < end; ++i) {
                     body(thread, signal, tile);
                     if (++tile < job_.num_tiles) continue;
                     ++signal;
                     tile = 0;
                   }
                 });
  }

  TileOutput<T> output_of(int64_t signal, int64_t tile) const {
    const specfast_batch& batch = job_.batch;
    const int64_t lanes = plan_.wide().kernel->lanes, first_frame = tile * lanes;
    T* const values = job_.signal_address(static_cast<T*>(batch.output), signal,
                                          batch.out_batch_stride, batch.out_channel_stride) +
                      first_frame * batch.out_frame_stride;
    return {values, std::min(lanes, job_.num_frames - first_frame),
            plan_.wide().tile.num_output_rows, batch.out_frame_stride, batch.out_row_stride};
  }

  void compute_tile(int thread, int64_t signal, int64_t tile) {
    const TileOutput<T> output = output_of(signal, tile);
    const TileVariant<T>& variant = plan_.variant_for(output.num_frames);
    std::byte* const scratch = workspace_.of_thread(thread);
    TileArgs<T> args;
    args.num_frames = output.num_frames;
    args.workspace = scratch;
    locator_.locate_samples(variant, locator_.input_of(signal), tile * plan_.wide().kernel->lanes,
                            reinterpret_cast<T*>(scratch + variant.tile_bytes), args);
    locator_.locate_next(signal, tile, args);
    args.out = output.values;
    args.frame_stride = output.frame_stride;
    args.row_stride = output.row_stride;
    if (spectra_) {
      args.spectrum = spectra_ + (signal * job_.num_tiles + tile) * spectrum_values(plan_.wide());
    }
    variant.kernel->run(variant.tile, args);
    if (scope_) scope_->observe(signal, tile, output, args.extrema);
  }

  const PrecisionPlan<T>& plan_;
  Workspace& workspace_;
  const Job& job_;
  T* spectra_;
  SampleLocator<In, T> locator_;
  std::unique_ptr<ScopePass<T>> scope_;
};

template <typename T>
void execute_as(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
                const ExecuteOptions& options) {
  const Job job = check_input(plan, batch, plan.precision<T>().wide().kernel->lanes);
  if (job.is_empty()) return;
  check_frames("output", batch.output, plan, job,
               {batch.out_batch_stride, batch.out_channel_stride, batch.out_frame_stride,
                batch.out_row_stride});
  if (options.spectra) check_kept(plan, batch.num_samples, options.spectra);
  with_input_type(batch.in_dtype, [&](const auto* null) {
    using In = std::remove_cv_t<std::remove_pointer_t<decltype(null)>>;
    BatchRun<In, T>(plan, workspace, job, options).run();
  });
}

}  // namespace

void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options) {
  if (!workspace.fits(plan)) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "workspace is too small for this plan: create one for it");
  }
  with_precision(plan.config().precision,
                 [&](auto zero) { execute_as<decltype(zero)>(plan, workspace, batch, options); });
}

}  // namespace specfast::engine
