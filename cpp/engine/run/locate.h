// SPDX-License-Identifier: BSD-3-Clause
// Where tiles find their samples: in the caller's memory, or in a copy with padding, conversion and
// scaling done.
#pragma once

#include <algorithm>
#include <type_traits>
#include <utility>

#include "engine/base/checked.h"
#include "engine/plan/plan.h"
#include "engine/run/job.h"

namespace specfast::engine {

template <typename In, typename T>
class SampleLocator {
 public:
  SampleLocator(const Plan& plan, const Job& job)
      : config_(plan.config()), plan_(plan.precision<T>()), job_(job) {}

  // Points the tile at the signal where it can be read in place, else at a copy with padding,
  // conversion and scaling done.
  void locate_samples(const TileVariant<T>& variant, int64_t signal, int64_t first_frame,
                      T* staging, TileArgs<T>& args) const {
    const int64_t begin = first_frame * config_.hop - job_.left_padding_of(signal);
    const int64_t rows = variant.tile.hop_rows, columns = variant.tile.hop_columns;
    const auto stage = [&](int64_t first, int64_t last) {
      stage_hops(signal, begin, rows, args.num_frames, first, last, staging);
    };
    args.staging = staging;
    if constexpr (std::is_same_v<In, T>) {
      if (job_.batch.in_sample_stride == 1 && scale_of<T>(job_.batch.in_scale) == 1 &&
          !config_.filters_signal()) {
        const auto [front, back] = hops_in_place(signal, begin, rows, columns);
        if (front < back) {
          args.samples = job_.template input_of<In>(signal) + (begin + front * config_.hop);
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

  // Sets the input that this thread will read next, where fetching it early pays: none if the
  // caches next to the core hold the whole, or if it does not lie together.
  void locate_next(int64_t signal, int64_t tile, TileArgs<T>& args) const {
    constexpr int64_t kNearSamples = (int64_t(256) << 10) / int64_t(sizeof(In));
    const specfast_batch& batch = job_.batch;
    const TilePlan<T>& wide = plan_.wide().tile;
    if (batch.in_sample_stride != 1 || wide.hop_rows != config_.hop ||
        batch.num_samples <= kNearSamples / job_.num_signals)
      return;
    const int64_t tile_samples = plan_.wide().kernel->lanes * config_.hop;
    const int64_t first_end = wide.hop_columns * config_.hop - job_.left_padding_of(signal);
    int64_t begin = first_end + tile * tile_samples, end = begin + tile_samples;
    if (tile + 1 == job_.num_tiles) {
      if (++signal == job_.num_signals) return;
      begin = 0;
      end = first_end;
    }
    const int64_t num_samples = job_.num_samples_of(signal);
    if (num_samples == 0) return;
    begin = std::clamp<int64_t>(begin, 0, num_samples);
    end = std::clamp(end, begin, num_samples);
    args.next_input = job_.template input_of<In>(signal) + begin;
    args.next_input_bytes = (end - begin) * int64_t(sizeof(In));
  }

 private:
  // Returns the hops [front, back), in whole column groups, of a tile that begins at sample `begin`
  // and that lie in the signal altogether. There are none if front >= back.
  std::pair<int64_t, int64_t> hops_in_place(int64_t signal, int64_t begin, int64_t rows,
                                            int64_t columns) const {
    constexpr int64_t kColumns = kColumnGroupBytes / int64_t(sizeof(T));
    const int64_t hop = config_.hop, room = job_.num_samples_of(signal) - begin - rows;
    // Nearly always: no divisions.
    if (begin >= 0 && room >= (columns - 1) * hop) return {0, columns};
    const int64_t front = begin < 0 ? (hop - 1 - begin) / hop : 0;
    const int64_t back = room < 0 ? 0 : std::min(columns, room / hop + 1);
    return {round_up(front, kColumns), back / kColumns * kColumns};
  }

  // Copies hops [first, last) of a tile that begins at sample `begin`. Those that none of its
  // frames reaches become zero.
  void stage_hops(int64_t signal, int64_t begin, int64_t rows, int64_t num_frames, int64_t first,
                  int64_t last, T* staging) const {
    const int64_t reached = num_frames + (config_.frame_length - 1) / config_.hop;
    const int64_t used = std::clamp(reached, first, last);
    if (rows == config_.hop) {
      stage_samples<In>(job_, signal, begin + first * rows, (used - first) * rows,
                        staging + first * rows);
    } else {
      for (int64_t hop = first; hop < used; ++hop) {
        stage_samples<In>(job_, signal, begin + hop * config_.hop, rows, staging + hop * rows);
      }
    }
    std::fill(staging + used * rows, staging + last * rows, T(0));
  }

  const Config& config_;
  const PrecisionPlan<T>& plan_;
  const Job& job_;
};

}  // namespace specfast::engine
