// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Plan: a plan, the axes of its arrays, and a pool of workspaces.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "python/arrays.h"

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
      : Plan(specfast::Plan(config), config, layout, py::none()) {}
  // `kernels` is kept for kernels(); its values are those of `weights`.
  Plan(const specfast_config& config, Layout layout, const specfast_weights& weights,
       py::object kernels)
      : Plan(specfast::Plan(config, weights), config, layout, std::move(kernels)) {}

  bool is_analytic() const { return plan_.is_analytic(); }
  py::object kernels() const { return kernels_; }

  std::int64_t num_bins() const { return plan_.num_rows(); }
  std::int64_t num_frames(std::int64_t num_samples) const { return plan_.num_frames(num_samples); }
  // The output, and what pull_back() would compute once more, or None where that is little.
  py::tuple call_keeping(const py::array& x, std::int32_t num_threads) const;
  // Gradients of the signal, or None, and of the kernels, or none.
  py::tuple pull_back(const py::array& x, const py::array& cotangent, bool signal, bool weights,
                      std::int32_t num_threads,
                      const std::optional<py::array>& kept = std::nullopt) const;
  // The samples are multiplied by `scale` first; 0 leaves them as they are.
  py::array call(const py::array& x, const py::object& out, std::int32_t num_threads,
                 double scale) const;

  const specfast::Plan& plan() const { return plan_; }
  std::int32_t dtype() const { return dtype_; }
  Layout layout() const { return layout_; }

 private:
  static constexpr std::size_t kMaxIdle = 4;
  class Lease;

  Plan(specfast::Plan plan, const specfast_config& config, Layout layout, py::object kernels)
      : plan_(std::move(plan)),
        dtype_(config.dtype),
        mode_(config.mode),
        frame_length_(config.frame_length),
        fft_length_(config.fft_length),
        layout_(layout),
        kernels_(std::move(kernels)) {
    idle_.reserve(kMaxIdle);  // giving a workspace back must not throw
  }

  Shape describe_spectrogram(const py::array& x, specfast_batch& batch) const;
  Shape describe_mel(const py::array& x, specfast_batch& batch) const;
  py::array run(const py::array& x, const py::object& out, std::int32_t num_threads, double scale,
                py::object* kept) const;
  py::array readable(const py::array& x, specfast_batch& batch) const;

  specfast::Plan plan_;
  std::int32_t dtype_, mode_;
  std::int64_t frame_length_, fft_length_;
  Layout layout_;
  py::object kernels_;  // as they were given, or None

  // Allocating scratch would cost more than a short call.
  struct Idle {
    std::int32_t num_threads;
    std::unique_ptr<specfast::Workspace> workspace;
  };
  mutable std::mutex idle_mutex_;
  mutable std::vector<Idle> idle_;
};

}  // namespace specfast_python
