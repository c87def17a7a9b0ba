// SPDX-License-Identifier: BSD-3-Clause
// Scope operations: what is done to frames by the knowledge of more than one tile, such as levels
// clamped to a distance from the maximum of the clip. scope.cpp has the list of them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/parallel.h"
#include "engine/plan/plan.h"
#include "engine/run/job.h"

namespace specfast::engine {

// Frames of one signal, as a tile left them.
template <typename T>
struct TileOutput {
  T* values;
  int64_t num_frames, num_rows;
  int64_t frame_stride, row_stride;
};

// A scope operation on the output of one call.
template <typename T>
class ScopePass {
 public:
  virtual ~ScopePass() = default;
  // Called once for each tile, by any thread. The extrema are those of the tile's levels, if its
  // plan tracks them; those of a tile without valid frames are infinite. `scratch` has room for the
  // tile's values.
  virtual void observe(int64_t signal, int64_t tile, const TileOutput<T>& output,
                       const TileExtrema<T>& extrema, T* scratch) noexcept = 0;
  // Called when all tiles have been observed, before the first is changed: once for each signal, by
  // any thread, then once for all.
  virtual void finish_signal(int64_t) {}
  virtual void finish() {}
  // Called once for each tile, by any thread; where applies_to_runs(), instead for runs of tiles by
  // the first of them, with the frames of all. Levels that wait for the operation come by tiles, so
  // one for which levels can wait must not ask for runs.
  virtual void apply(int64_t signal, int64_t tile, const TileOutput<T>& output) = 0;
  // Rows that lie far apart in memory are read faster at length.
  virtual bool applies_to_runs() const noexcept { return false; }
};

// The next frames of all channels of a stream.
template <typename T>
struct StreamOutput {
  T* values;
  int64_t num_frames, num_rows;
  int64_t channel_stride, frame_stride, row_stride;
};

// A scope operation in a stream, where only what has passed is known.
template <typename T>
class ScopeStream {
 public:
  virtual ~ScopeStream() = default;
  // Forgets the signal.
  virtual void reset() noexcept = 0;
  // Changes the next frames of all channels. The result does not depend on how many come at once.
  virtual void advance(const StreamOutput<T>& output) noexcept = 0;
  // Returns what the stream remembers, which is all that a saved state holds of it.
  virtual std::vector<T>& state() noexcept = 0;
  // Tells whether values could be a state, from bytes that may not be aligned.
  virtual bool is_sound(const std::byte* state) const noexcept = 0;
};

// One scope operation: makes what calls and streams of a plan need.
template <typename T>
class ScopeOperation {
 public:
  virtual ~ScopeOperation() = default;
  virtual bool applies(const Config& config) const noexcept = 0;
  virtual std::unique_ptr<ScopePass<T>> make_pass(const Plan& plan, const Job& job) const = 0;
  // Throws Error where a stream of this configuration cannot have the operation, and unless
  // `stream` says what stands in for the maximum of the whole signal if the operation needs that:
  // by default it does not.
  virtual void check_stream(const Config& config, const specfast_stream_config& stream) const;
  // The plan must outlive the stream. `config` has been checked.
  virtual std::unique_ptr<ScopeStream<T>> make_stream(
      const Plan& plan, const specfast_stream_config& config) const = 0;
  // Replaces the output of a call before this operation, [signal][row][frame], by the gradient with
  // respect to it. Sums are taken in a fixed order. Not called for operations without a gradient,
  // which gradient.cpp refuses.
  virtual void pull_back(const Plan& plan, const Job& job, const specfast_gradient& gradient,
                         int num_threads, std::vector<T>& output) const;
};

// Returns the operations that a configuration asks for, in the order in which they are applied.
template <typename T>
std::vector<const ScopeOperation<T>*> scope_operations(const Config& config);

// Throws Error unless a stream of this configuration can have the plan's scope operation, if any.
void check_scope_of_stream(const Config& config, const specfast_stream_config& stream);

}  // namespace specfast::engine
