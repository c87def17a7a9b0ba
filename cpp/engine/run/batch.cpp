// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/batch.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "engine/base/parallel.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

Job check_batch(const Plan& plan, const specfast_batch& batch, int64_t lanes, const void* kept) {
  const Job job = check_input(plan, batch, lanes);
  if (job.num_signals == 0 || job.num_frames == 0) return job;
  const std::size_t out_bytes = element_bytes(plan.config().precision);
  check_pointer("output", batch.output, out_bytes);
  if (kept) check_kept(plan, batch.num_samples, kept);
  check_extent({{batch.num_batches, batch.out_batch_stride},
                {batch.num_channels, batch.out_channel_stride},
                {job.num_frames, batch.out_frame_stride},
                {plan.num_rows(), batch.out_row_stride}},
               out_bytes);
  return job;
}

template <typename In, typename T>
class BatchRun {
 public:
  BatchRun(const Plan& plan, Workspace& workspace, const Job& job, const ExecuteOptions& options)
      : config_(plan.config()),
        plan_(plan.precision<T>()),
        workspace_(workspace),
        job_(job),
        options_(options) {
    if (plan_.wide().tile.track_extrema)
      extrema_.resize(std::size_t(job.num_signals * job.num_tiles));
  }

  void run() {
    for_each_tile(
        [this](int thread, int64_t signal, int64_t tile) { compute_tile(thread, signal, tile); });
    if (extrema_.empty() || !options_.clamped) return;
    clamp_to_top_db();
  }

 private:
  template <typename Body>
  void for_each_tile(const Body& body) {
    // Below about a quarter of a million samples' work a second thread costs more than it brings.
    constexpr int64_t kMinSamplesPerThread = 1 << 17;
    const TilePlan<T>& wide = plan_.wide().tile;
    const int64_t tile_samples =
        plan_.wide().kernel->lanes * (wide.dft_length + wide.num_output_rows);
    parallel_for(job_.num_signals * job_.num_tiles, kMinSamplesPerThread / tile_samples + 1,
                 workspace_.team(), [&](int thread, int64_t begin, int64_t end) {
                   int64_t signal = begin / job_.num_tiles, tile = begin % job_.num_tiles;
                   for (int64_t i = begin; i < end; ++i) {
                     body(thread, signal, tile);
                     if (++tile < job_.num_tiles) continue;
                     ++signal;
                     tile = 0;
                   }
                 });
  }

  const In* input_of(int64_t signal) const {
    return job_.signal_address(static_cast<const In*>(job_.batch.input), signal,
                               job_.batch.in_batch_stride, job_.batch.in_channel_stride);
  }

  T* tile_output(int64_t signal, int64_t first_frame) const {
    const specfast_batch& batch = job_.batch;
    return job_.signal_address(static_cast<T*>(batch.output), signal, batch.out_batch_stride,
                               batch.out_channel_stride) +
           first_frame * batch.out_frame_stride;
  }

  int64_t frames_of(int64_t tile) const {
    const int64_t lanes = plan_.wide().kernel->lanes;
    return std::min(lanes, job_.num_frames - tile * lanes);
  }

  void compute_tile(int thread, int64_t signal, int64_t tile) {
    const specfast_batch& batch = job_.batch;
    const int64_t first_frame = tile * plan_.wide().kernel->lanes;
    TileArgs<T> args;
    args.num_frames = frames_of(tile);
    const Width<T>& width =
        args.num_frames <= plan_.narrow().kernel->lanes ? plan_.narrow() : plan_.wide();
    std::byte* const scratch = workspace_.of_thread(thread);
    args.workspace = scratch;
    locate_samples(width, input_of(signal), first_frame,
                   reinterpret_cast<T*>(scratch + width.tile_bytes), args);
    announce_next(signal, tile, args);
    args.out = tile_output(signal, first_frame);
    args.frame_stride = batch.out_frame_stride;
    args.row_stride = batch.out_row_stride;
    if (options_.kept) {
      args.spectrum = static_cast<T*>(options_.kept) +
                      (signal * job_.num_tiles + tile) * spectrum_values(plan_.wide());
    }
    width.kernel->run(width.tile, args);
    if (!extrema_.empty()) extrema_[std::size_t(signal * job_.num_tiles + tile)] = args.extrema;
  }

  // Points the tile at the signal where it can be read in place, else at a copy with padding,
  // conversion and scaling done.
  void locate_samples(const Width<T>& width, const In* signal, int64_t first_frame, T* staging,
                      TileArgs<T>& args) const {
    const int64_t begin = first_frame * config_.hop - job_.left_padding;
    const int64_t rows = width.tile.hop_rows, columns = width.tile.hop_columns;
    const auto stage = [&](int64_t first, int64_t last) {
      stage_hops(signal, begin, rows, args.num_frames, first, last, staging);
    };
    args.staging = staging;
    if constexpr (std::is_same_v<In, T>) {
      if (job_.batch.in_sample_stride == 1 && scale_of<T>(job_.batch.in_scale) == 1) {
        const auto [front, back] = hops_in_place(begin, rows, columns);
        if (front < back) {
          args.samples = signal + (begin + front * config_.hop);
          args.hop_stride = config_.hop;
          args.staged_front = front;
          args.staged_back = columns - back;
          if (front > 0) stage(0, front);
          if (back < columns) stage(back, columns);
          return;
        }
      }
    }
    args.samples = nullptr;
    args.hop_stride = 0;
    args.staged_front = columns;
    stage(0, columns);
  }

  // Of a tile that begins at sample `begin`: the hops [front, back), whole column groups, that lie
  // in the signal altogether. There are none if front >= back.
  std::pair<int64_t, int64_t> hops_in_place(int64_t begin, int64_t rows, int64_t columns) const {
    constexpr int64_t kColumns = kColumnGroupBytes / int64_t(sizeof(T));
    const int64_t hop = config_.hop, room = job_.batch.num_samples - begin - rows;
    // Nearly always: no divisions.
    if (begin >= 0 && room >= (columns - 1) * hop) return {0, columns};
    const int64_t front = begin < 0 ? (hop - 1 - begin) / hop : 0;
    const int64_t back = room < 0 ? 0 : std::min(columns, room / hop + 1);
    return {(front + kColumns - 1) / kColumns * kColumns, back / kColumns * kColumns};
  }

  // Copies hops [first, last) of a tile that begins at sample `begin`. Those that none of its
  // frames reaches become zero.
  void stage_hops(const In* signal, int64_t begin, int64_t rows, int64_t num_frames, int64_t first,
                  int64_t last, T* staging) const {
    const int64_t reached = num_frames + (config_.frame_length - 1) / config_.hop;
    const int64_t used = std::clamp(reached, first, last);
    if (rows == config_.hop) {
      stage_samples(signal, job_.batch, config_.padding, begin + first * rows,
                    (used - first) * rows, staging + first * rows);
    } else {
      for (int64_t hop = first; hop < used; ++hop) {
        stage_samples(signal, job_.batch, config_.padding, begin + hop * config_.hop, rows,
                      staging + hop * rows);
      }
    }
    std::fill(staging + used * rows, staging + last * rows, T(0));
  }

  // The input that this thread will read next, where fetching it early pays: none if the caches
  // next to the core hold the whole, or if it does not lie together.
  void announce_next(int64_t signal, int64_t tile, TileArgs<T>& args) const {
    constexpr int64_t kNearSamples = (int64_t(256) << 10) / int64_t(sizeof(In));
    const specfast_batch& batch = job_.batch;
    const TilePlan<T>& wide = plan_.wide().tile;
    if (batch.in_sample_stride != 1 || wide.hop_rows != config_.hop ||
        batch.num_samples <= kNearSamples / job_.num_signals)
      return;
    const int64_t tile_samples = plan_.wide().kernel->lanes * config_.hop;
    const int64_t first_end = wide.hop_columns * config_.hop - job_.left_padding;
    int64_t begin = first_end + tile * tile_samples, end = begin + tile_samples;
    if (tile + 1 == job_.num_tiles) {
      if (++signal == job_.num_signals) return;
      begin = 0;
      end = first_end;
    }
    begin = std::clamp<int64_t>(begin, 0, batch.num_samples);
    end = std::clamp(end, begin, batch.num_samples);
    args.next_input = input_of(signal) + begin;
    args.next_input_bytes = (end - begin) * int64_t(sizeof(In));
  }

  // top_db below the maximum of signals [begin, end); NaN if one of them holds a NaN.
  T floor_of(int64_t begin, int64_t end) const {
    T max = -std::numeric_limits<T>::infinity();
    for (int64_t i = begin * job_.num_tiles; i < end * job_.num_tiles; ++i) {
      const TileExtrema<T>& tile = extrema_[std::size_t(i)];
      if (tile.has_nan) return std::numeric_limits<T>::quiet_NaN();
      max = std::max(max, tile.max);
    }
    return max - T(config_.top_db);
  }

  // Raises the output to its floor, tile by tile where that changes anything.
  void clamp_to_top_db() {
    const bool common = config_.top_db_scope == TopDbScope::kBatch;
    std::vector<T> floors;
    for (int64_t signal = 0; signal < (common ? 1 : job_.num_signals); ++signal) {
      floors.push_back(floor_of(signal, common ? job_.num_signals : signal + 1));
    }
    const Width<T>& width = plan_.wide();
    constexpr int64_t kMinTilesPerThread = 256;
    parallel_for(job_.num_signals * job_.num_tiles, kMinTilesPerThread, workspace_.team(),
                 [&](int, int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t signal = i / job_.num_tiles, tile = i % job_.num_tiles;
                     const T floor = floors[std::size_t(common ? 0 : signal)];
                     if (extrema_[std::size_t(i)].min >= floor) continue;  // never for a NaN
                     width.kernel->clamp(tile_output(signal, tile * width.kernel->lanes),
                                         frames_of(tile), width.tile.num_output_rows,
                                         job_.batch.out_frame_stride, job_.batch.out_row_stride,
                                         floor);
                   }
                 });
  }

  const Config& config_;
  const PrecisionPlan<T>& plan_;
  Workspace& workspace_;
  const Job& job_;
  const ExecuteOptions& options_;
  std::vector<TileExtrema<T>> extrema_;  // [signal][tile]
};

template <typename T>
void execute_as(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
                const ExecuteOptions& options) {
  const Job job = check_batch(plan, batch, plan.precision<T>().wide().kernel->lanes, options.kept);
  if (job.num_signals == 0 || job.num_frames == 0) return;
  switch (batch.in_dtype) {
    case SPECFAST_FLOAT32:
      return BatchRun<float, T>(plan, workspace, job, options).run();
    case SPECFAST_FLOAT64:
      return BatchRun<double, T>(plan, workspace, job, options).run();
    default:
      return BatchRun<int16_t, T>(plan, workspace, job, options).run();
  }
}

}  // namespace

Workspace::Workspace(const Plan& plan, const Team& team)
    : team_(team),
      bytes_per_thread_(plan.workspace_bytes()),
      memory_(int64_t(bytes_per_thread_), team.num_threads) {}

void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options) {
  if (!workspace.fits(plan)) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "workspace is too small for this plan: create one for it");
  }
  if (plan.config().precision == Precision::kFloat32) {
    execute_as<float>(plan, workspace, batch, options);
  } else {
    execute_as<double>(plan, workspace, batch, options);
  }
}

}  // namespace specfast::engine
