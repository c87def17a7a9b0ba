// SPDX-License-Identifier: BSD-3-Clause
// Gradients of a call, as arrays.
#include "python/gil.h"
#include "python/plan.h"

namespace specfast_python {

void Plan::check_cotangent(const py::array& cotangent, const Shape& shape) const {
  const Shape received = shape_of(cotangent);
  if (received == shape && (cotangent.flags() & py::array::c_style) &&
      input_dtype(cotangent) == dtype_)
    return;
  throw py::value_error("cotangent must be a C-contiguous array of dtype " +
                        std::string(py::str(numpy_dtype(dtype_))) + " and shape " +
                        describe(shape) + ", received shape " + describe(received));
}

void Plan::check_kept(const py::array& kept, const specfast::Signals& signals) const {
  const Shape shape = {signals.num_batches, signals.num_channels,
                       plan_.num_kept(signals.num_samples)};
  if (shape_of(kept) == shape && (kept.flags() & py::array::c_style) && input_dtype(kept) == dtype_)
    return;
  throw py::value_error(
      "kept must be what call_keeping returned for x: a C-contiguous array of shape " +
      describe(shape));
}

py::array Plan::make_signal_gradient(const py::array& x, const specfast::Signals& samples,
                                     specfast_gradient& gradient) const {
  py::array array(numpy_dtype(dtype_), shape_of(x));
  const specfast::Signals axes = signals_of(layout_, array, input_dtype(array));
  gradient.signal = array.mutable_data();
  const bool any_rank = has_any_rank(layout_);
  gradient.signal_batch_stride =
      any_rank ? samples.num_channels * samples.num_samples : axes.batch_stride;
  gradient.signal_channel_stride = any_rank ? samples.num_samples : axes.channel_stride;
  gradient.signal_sample_stride = axes.sample_stride;
  return array;
}

py::list Plan::make_kernel_gradients(specfast_gradient& gradient) const {
  py::list gradients;
  const auto add = [&](void*& kernel) {
    py::array array(numpy_dtype(dtype_), kernel_shape_);
    kernel = array.mutable_data();
    gradients.append(array);
  };
  if (has_real_kernel(mode_)) add(gradient.real_kernel);
  if (has_imag_kernel(mode_)) add(gradient.imag_kernel);
  return gradients;
}

py::tuple Plan::pull_back(const py::array& x, const py::array& cotangent, bool signal, bool weights,
                          std::int32_t num_threads, const std::optional<py::array>& kept) const {
  const specfast::Signals signals = signals_of(layout_, x, input_dtype(x));
  OutputAxes axes = output_axes_for(x, signals);
  check_cotangent(cotangent, axes.shape);
  const Source source(layout_, x, signals, MoreAxes::kCopy);
  axes.strides = source.strides(axes.strides);
  const specfast::Signals samples = source.signals(0);
  specfast_gradient gradient = plan_.gradient_of(samples, axes.frames(cotangent.data(), dtype_));
  if (kept) {
    check_kept(*kept, signals);
    gradient.kept = kept->data();
  }
  py::object signal_gradient = py::none();
  if (signal) signal_gradient = make_signal_gradient(x, samples, gradient);
  py::list kernel_gradients;
  if (weights) kernel_gradients = make_kernel_gradients(gradient);
  if (num_threads == 0) num_threads = specfast::num_threads();
  const double num_signals = double(signals.num_batches) * double(signals.num_channels);
  call_engine(work(num_signals * double(axes.num_frames)),
              [&] { plan_.pull_back(num_threads, specfast::Plan::batch_of(samples), gradient); });
  return py::make_tuple(signal_gradient, kernel_gradients);
}

}  // namespace specfast_python
