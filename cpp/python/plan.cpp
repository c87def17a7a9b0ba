// SPDX-License-Identifier: BSD-3-Clause
#include "python/plan.h"

#include <algorithm>
#include <new>
#include <utility>

namespace specfast_python {
namespace {

// NumPy arrays of any rank as one batch axis: the leading axes must collapse to a single stride,
// else the caller copies.
std::optional<std::int64_t> collapsed_stride(const py::array& x) {
  std::int64_t stride = 0, expected = 0;
  bool found = false;
  for (py::ssize_t axis = x.ndim() - 2; axis >= 0; --axis) {
    if (x.shape(axis) == 1) continue;
    const std::int64_t axis_stride = element_stride(x, axis);
    if (!found) {
      stride = axis_stride;
      found = true;
    } else if (axis_stride != expected) {
      return std::nullopt;
    }
    expected = axis_stride * x.shape(axis);
  }
  return stride;
}

}  // namespace

// Takes a workspace from the pool, or makes one, and gives it back.
class Plan::Lease {
 public:
  Lease(const Plan& plan, std::int32_t num_threads) : plan_(plan) {
    {
      const std::lock_guard<std::mutex> lock(plan.idle_mutex_);
      const auto fits = [num_threads](const Idle& idle) { return idle.num_threads == num_threads; };
      const auto found = std::find_if(plan.idle_.begin(), plan.idle_.end(), fits);
      if (found != plan.idle_.end()) {
        held_ = std::move(*found);
        plan.idle_.erase(found);
        return;
      }
    }
    held_ = {num_threads, std::make_unique<specfast::Workspace>(plan.plan_, num_threads)};
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    const std::lock_guard<std::mutex> lock(plan_.idle_mutex_);
    if (plan_.idle_.size() >= kMaxIdle) plan_.idle_.erase(plan_.idle_.begin());
    plan_.idle_.push_back(std::move(held_));
  }

  specfast::Workspace& workspace() { return *held_.workspace; }

 private:
  const Plan& plan_;
  Idle held_{};
};

Shape Plan::describe_spectrogram(const py::array& x, specfast_batch& batch) const {
  if (x.ndim() != 3) {
    throw py::value_error(
        "x must have 3 axes (batch, samples and channels as data_format says), received x.shape=" +
        describe(Shape(x.shape(), x.shape() + x.ndim())));
  }
  const bool channels_last =
      layout_ == Layout::kFlatChannelsLast || layout_ == Layout::kImageChannelsLast;
  const py::ssize_t samples = channels_last ? 1 : 2, channels = channels_last ? 2 : 1;
  batch.num_batches = x.shape(0);
  batch.num_channels = x.shape(channels);
  batch.num_samples = x.shape(samples);
  batch.in_batch_stride = element_stride(x, 0);
  batch.in_channel_stride = element_stride(x, channels);
  batch.in_sample_stride = element_stride(x, samples);

  const std::int64_t rows = num_bins(), frames = num_frames(batch.num_samples);
  const std::int64_t flat = checked_product(batch.num_channels, rows);
  batch.out_batch_stride = checked_product(flat, frames);
  switch (layout_) {
    case Layout::kFlatChannelsLast:
      batch.out_channel_stride = rows;
      batch.out_frame_stride = flat;
      batch.out_row_stride = 1;
      return {batch.num_batches, frames, flat};
    case Layout::kFlatChannelsFirst:
      batch.out_channel_stride = checked_product(rows, frames);
      batch.out_frame_stride = 1;
      batch.out_row_stride = frames;
      return {batch.num_batches, flat, frames};
    case Layout::kImageChannelsLast:
      batch.out_channel_stride = 1;
      batch.out_frame_stride = flat;
      batch.out_row_stride = batch.num_channels;
      return {batch.num_batches, frames, rows, batch.num_channels};
    default:
      batch.out_channel_stride = checked_product(rows, frames);
      batch.out_frame_stride = rows;
      batch.out_row_stride = 1;
      return {batch.num_batches, batch.num_channels, frames, rows};
  }
}

Shape Plan::describe_mel(const py::array& x, specfast_batch& batch) const {
  if (x.ndim() < 1)
    throw py::value_error("x must have at least 1 axis (..., samples), received x.shape=()");
  const py::ssize_t last = x.ndim() - 1;
  batch.num_batches = 1;
  for (py::ssize_t axis = 0; axis < last; ++axis)
    batch.num_batches = checked_product(batch.num_batches, x.shape(axis));
  batch.num_channels = 1;
  batch.num_samples = x.shape(last);
  batch.in_sample_stride = element_stride(x, last);

  const std::int64_t rows = num_bins(), frames = num_frames(batch.num_samples);
  batch.out_batch_stride = checked_product(rows, frames);
  batch.out_frame_stride = 1;
  batch.out_row_stride = frames;
  Shape shape(x.shape(), x.shape() + last);
  shape.push_back(rows);
  shape.push_back(frames);
  return shape;
}

// Points the batch at x, or at a copy of it, which must outlive the batch.
py::array Plan::readable(const py::array& x, specfast_batch& batch) const {
  py::array source = x;
  if (layout_ == Layout::kMel) {
    std::optional<std::int64_t> stride = collapsed_stride(x);
    if (!stride) {
      source = py::array::ensure(x, py::array::c_style);
      if (!source) throw std::bad_alloc();  // ensure() has cleared NumPy's own error
      stride = collapsed_stride(source);
      batch.in_sample_stride = element_stride(source, source.ndim() - 1);
    }
    batch.in_batch_stride = *stride;
  }
  batch.input = source.data();
  return source;
}

py::array Plan::call(const py::array& x, const py::object& out, std::int32_t num_threads,
                     double scale) const {
  return run(x, out, num_threads, scale, nullptr);
}

py::tuple Plan::call_keeping(const py::array& x, std::int32_t num_threads) const {
  py::object kept = py::none();
  const py::array result = run(x, py::none(), num_threads, 0, &kept);
  return py::make_tuple(result, kept);
}

// With `kept`, also what is worth keeping for the gradients, or None.
py::array Plan::run(const py::array& x, const py::object& out, std::int32_t num_threads,
                    double scale, py::object* kept) const {
  specfast_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = input_dtype(x);
  batch.in_scale = scale;
  const Shape shape =
      layout_ == Layout::kMel ? describe_mel(x, batch) : describe_spectrogram(x, batch);
  check_output_size(shape, dtype_ == SPECFAST_FLOAT64 ? sizeof(double) : sizeof(float));

  // Before any copy: a bad `out` or a result without room is refused at once.
  py::array result = output_array(out, shape, dtype_, x);
  if (result.size() == 0) return result;

  const py::array source = readable(x, batch);
  batch.output = result.mutable_data();
  void* kept_values = nullptr;
  const std::int64_t num_kept = kept ? plan_.num_kept(batch.num_samples) : 0;
  if (num_kept > 0) {
    py::array array(numpy_dtype(dtype_), Shape{batch.num_batches, batch.num_channels, num_kept});
    kept_values = array.mutable_data();
    *kept = array;
  }
  if (num_threads == 0) num_threads = specfast::num_threads();
  // Taken and given back under the GIL: os.fork() never finds the mutex locked.
  Lease lease(*this, num_threads);
  {
    const py::gil_scoped_release release;
    if (kept_values) {
      plan_.execute_keep(lease.workspace(), batch, kept_values);
    } else {
      plan_.execute(lease.workspace(), batch);
    }
  }
  return result;
}

}  // namespace specfast_python
