// SPDX-License-Identifier: BSD-3-Clause
// Gradients of a call, as arrays.
#include "python/plan.h"

namespace specfast_python {

py::tuple Plan::pull_back(const py::array& x, const py::array& cotangent, bool signal, bool weights,
                          std::int32_t num_threads, const std::optional<py::array>& kept) const {
  const auto describe_axes = [this](const py::array& array, specfast_batch& batch) {
    return layout_ == Layout::kMel ? describe_mel(array, batch)
                                   : describe_spectrogram(array, batch);
  };
  specfast_batch batch{};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = input_dtype(x);
  const Shape shape = describe_axes(x, batch);
  const Shape received(cotangent.shape(), cotangent.shape() + cotangent.ndim());
  if (received != shape || !(cotangent.flags() & py::array::c_style) ||
      input_dtype(cotangent) != dtype_) {
    throw py::value_error("cotangent must be a C-contiguous array of dtype " +
                          std::string(py::str(numpy_dtype(dtype_))) + " and shape " +
                          describe(shape) + ", received shape " + describe(received));
  }
  const py::array source = readable(x, batch);

  specfast_gradient gradient{};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = cotangent.data();
  gradient.cotangent_batch_stride = batch.out_batch_stride;
  gradient.cotangent_channel_stride = batch.out_channel_stride;
  gradient.cotangent_frame_stride = batch.out_frame_stride;
  gradient.cotangent_row_stride = batch.out_row_stride;

  if (kept) {
    const Shape wanted = {batch.num_batches, batch.num_channels, plan_.num_kept(batch.num_samples)};
    if (Shape(kept->shape(), kept->shape() + kept->ndim()) != wanted ||
        !(kept->flags() & py::array::c_style) || input_dtype(*kept) != dtype_) {
      throw py::value_error(
          "kept must be what call_keeping returned for x: a C-contiguous array of shape " +
          describe(wanted));
    }
    gradient.kept = kept->data();
  }

  py::object signal_gradient = py::none();
  if (signal) {
    py::array array(numpy_dtype(dtype_), Shape(x.shape(), x.shape() + x.ndim()));
    specfast_batch axes{};
    describe_axes(array, axes);
    gradient.signal = array.mutable_data();
    gradient.signal_batch_stride =
        layout_ == Layout::kMel ? axes.num_samples : axes.in_batch_stride;
    gradient.signal_channel_stride = axes.in_channel_stride;
    gradient.signal_sample_stride = axes.in_sample_stride;
    signal_gradient = array;
  }
  py::list kernel_gradients;
  if (weights) {
    for (const bool real : {true, false}) {
      if (mode_ == (real ? SPECFAST_MODE_IMAG : SPECFAST_MODE_REAL) || mode_ == SPECFAST_MODE_MEL)
        continue;
      py::array array(numpy_dtype(dtype_), Shape{frame_length_, 1, fft_length_ / 2 + 1});
      (real ? gradient.real_kernel : gradient.imag_kernel) = array.mutable_data();
      kernel_gradients.append(array);
    }
  }
  if (num_threads == 0) num_threads = specfast::num_threads();
  {
    const py::gil_scoped_release release;
    plan_.pull_back(num_threads, batch, gradient);
  }
  return py::make_tuple(signal_gradient, kernel_gradients);
}

}  // namespace specfast_python
