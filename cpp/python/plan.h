// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Plan: a plan, the axes of its arrays, and a pool of workspaces.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "arrays.h"

namespace specfast_python {

// Where batch, channels and samples stand in the input, and frames and rows in the output.
enum class Layout {
  kFlatChannelsLast,    // (batch, samples, channels) -> (batch, frames, channels * rows)
  kFlatChannelsFirst,   // (batch, channels, samples) -> (batch, channels * rows, frames)
  kImageChannelsLast,   // (batch, samples, channels) -> (batch, frames, rows, channels)
  kImageChannelsFirst,  // (batch, channels, samples) -> (batch, channels, frames, rows)
  kMel,                 // (..., samples) -> (..., rows, frames)
};

class Plan {
 public:
  Plan(const specfast_config& config, Layout layout)
      : plan_(config), dtype_(config.dtype), layout_(layout) {
    idle_.reserve(kMaxIdle);  // giving a workspace back must not throw
  }

  std::int64_t num_bins() const { return plan_.num_rows(); }
  std::int64_t num_frames(std::int64_t num_samples) const { return plan_.num_frames(num_samples); }
  // The samples are multiplied by `scale` first; 0 leaves them as they are.
  py::array call(const py::array& x, const py::object& out, std::int32_t num_threads,
                 double scale) const;

  const specfast::Plan& plan() const { return plan_; }
  std::int32_t dtype() const { return dtype_; }
  Layout layout() const { return layout_; }

 private:
  static constexpr std::size_t kMaxIdle = 4;
  class Lease;

  Shape describe_spectrogram(const py::array& x, specfast_batch& batch) const;
  Shape describe_mel(const py::array& x, specfast_batch& batch) const;

  specfast::Plan plan_;
  std::int32_t dtype_;
  Layout layout_;

  // Allocating scratch would cost more than a short call.
  struct Idle {
    std::int32_t num_threads;
    std::unique_ptr<specfast::Workspace> workspace;
  };
  mutable std::mutex idle_mutex_;
  mutable std::vector<Idle> idle_;
};

}  // namespace specfast_python
