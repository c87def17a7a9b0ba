// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Plan: a plan, the axes of its arrays, and a pool of workspaces.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "python/config.h"
#include "python/layout.h"
#include "python/workspace_pool.h"

namespace specfast_python {

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
                      std::int32_t num_threads, const std::optional<py::array>& kept) const;
  // The samples are multiplied by `scale` first; 0 leaves them as they are.
  py::array call(const py::array& x, const py::object& out, std::int32_t num_threads,
                 double scale) const;

  // The frames of clips, each of one axis, all of one dtype and one stride; `num_channels` of them
  // after each other are the channels of one signal. `leading` is the shape of the result in front
  // of the axes that the layout gives to a signal. Every clip gets `num_frames` frames.
  py::array call_clips(const std::vector<py::array>& clips, const Shape& leading,
                       std::int64_t num_frames, const py::object& out, std::int32_t num_threads,
                       double scale, std::int64_t num_channels) const;

  const specfast::Plan& plan() const { return plan_; }
  // Returns about how much work so many frames are; a sample of a transform is 1, less than a
  // nanosecond.
  double work(double num_frames) const { return num_frames * frame_work_; }
  std::int32_t dtype() const { return dtype_; }
  Layout layout() const { return layout_; }
  // Returns whether leading axes may be calls of their own.
  bool may_split() const { return may_split_; }

 private:
  Plan(specfast::Plan plan, const specfast_config& config, Layout layout, py::object kernels)
      : plan_(std::move(plan)),
        dtype_(config.dtype),
        mode_(config.mode),
        // The clamp of a whole batch needs one call.
        may_split_(config.top_db_scope != SPECFAST_TOP_DB_BATCH),
        frame_work_(work_of_frame(plan_, config)),
        kernel_shape_(kernel_shape(config)),
        layout_(layout),
        kernels_(std::move(kernels)) {}

  static double work_of_frame(const specfast::Plan& plan, const specfast_config& config);
  OutputAxes output_axes_for(const py::array& x, const specfast::Signals& signals) const;
  py::array run(const py::array& x, const py::object& out, std::int32_t num_threads, double scale,
                py::object* kept) const;
  void check_cotangent(const py::array& cotangent, const Shape& shape) const;
  void check_kept(const py::array& kept, const specfast::Signals& signals) const;
  // Both make the arrays of gradients and enter them into `gradient`.
  py::array make_signal_gradient(const py::array& x, const specfast::Signals& samples,
                                 specfast_gradient& gradient) const;
  py::list make_kernel_gradients(specfast_gradient& gradient) const;

  specfast::Plan plan_;
  std::int32_t dtype_, mode_;
  bool may_split_;
  double frame_work_;
  Shape kernel_shape_;
  Layout layout_;
  py::object kernels_;  // as they were given, or None
  mutable WorkspacePool workspaces_;
};

}  // namespace specfast_python
