// SPDX-License-Identifier: BSD-3-Clause
#include "python/plan.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "python/construct.h"
#include "python/gil.h"

namespace specfast_python {

using Kernels = std::optional<std::vector<py::array>>;

double Plan::work_of_frame(const specfast::Plan& plan, const specfast_config& config) {
  constexpr double kProductsPerSample = 8;
  const double rows = double(plan.num_rows());
  return plan.is_analytic() ? double(config.fft_length) + rows
                            : double(config.frame_length) * rows / kProductsPerSample;
}

OutputAxes Plan::output_axes_for(const py::array& x, const specfast::Signals& signals) const {
  return output_axes(layout_, x, signals, num_frames(signals.num_samples), num_bins());
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
  specfast::Signals signals = signals_of(layout_, x, input_dtype(x));
  signals.scale = scale;
  OutputAxes axes = output_axes_for(x, signals);
  check_output_size(axes.shape, element_bytes(dtype_));

  // Before any copy: a bad `out` or a result without room is refused at once.
  py::array result = output_array(out, axes.shape, dtype_, x);
  if (result.size() == 0) return result;

  const Source source(layout_, x, signals, may_split_ ? MoreAxes::kSplit : MoreAxes::kCopy);
  const std::int64_t call_bytes =
      result.nbytes() / std::max<std::int64_t>(signals.num_batches, 1) * source.signals_per_call();
  axes.strides = source.strides(axes.strides);
  void* kept_values = nullptr;
  const std::int64_t num_kept = kept ? plan_.num_kept(signals.num_samples) : 0;
  if (num_kept > 0) {
    py::array array(numpy_dtype(dtype_),
                    Shape{signals.num_batches, signals.num_channels, num_kept});
    kept_values = array.mutable_data();
    *kept = array;
  }
  if (num_threads == 0) num_threads = specfast::num_threads();
  WorkspacePool::Lease lease(workspaces_, plan_, num_threads);
  char* const values = static_cast<char*>(result.mutable_data());
  const double num_signals = double(signals.num_batches) * double(signals.num_channels);
  call_engine(work(num_signals * double(axes.num_frames)), [&] {
    if (kept_values) {
      plan_.execute_keep(lease.workspace(), source.signals(0), axes.frames(values, dtype_),
                         kept_values);
      return;
    }
    for (std::int64_t i = 0; i < source.num_calls(); ++i) {
      plan_.execute(lease.workspace(), source.signals(i),
                    axes.frames(values + i * call_bytes, dtype_));
    }
  });
  return result;
}

namespace {

// The kernels that the configuration's mode has, from a list of one or two arrays.
specfast_weights weights_of(const specfast_config& config, const std::vector<py::array>& kernels,
                            double rounding) {
  const bool real = has_real_kernel(config.mode), imag = has_imag_kernel(config.mode);
  if (!real && !imag) throw py::value_error("kernels must be None in a mode that has none");
  if (kernels.size() != std::size_t(real) + std::size_t(imag)) {
    throw py::value_error("kernels must be " + std::to_string(real + imag) + " arrays, received " +
                          std::to_string(kernels.size()));
  }
  const Shape shape = kernel_shape(config);
  for (const py::array& kernel : kernels) {
    const Shape received = shape_of(kernel);
    if (received != shape || !(kernel.flags() & py::array::c_style) ||
        input_dtype(kernel) != input_dtype(kernels[0]) || input_dtype(kernel) == SPECFAST_INT16) {
      throw py::value_error(
          "kernels must be C-contiguous arrays of one dtype, float32 or float64, and shape " +
          describe(shape) + ", received shape " + describe(received));
    }
  }
  specfast_weights weights{};
  weights.struct_size = sizeof(weights);
  weights.dtype = input_dtype(kernels[0]);
  weights.rounding = rounding;
  weights.real_kernel = real ? kernels.front().data() : nullptr;
  weights.imag_kernel = imag ? kernels.back().data() : nullptr;
  return weights;
}

void construct_plan(py::detail::value_and_holder& place, const Config& config,
                    const std::string& layout, const Kernels& kernels, double rounding) {
  const specfast_config settings = config.with_window();
  if (!kernels) return hold(place, std::make_unique<Plan>(settings, layout_of(layout)));
  hold(place, std::make_unique<Plan>(settings, layout_of(layout),
                                     weights_of(settings, *kernels, rounding), py::cast(*kernels)));
}

}  // namespace

void register_plan(py::module_& module) {
  py::class_<Plan>(module, "Plan",
                   "Everything derived from a configuration; immutable, shared by threads.")
      .def("__init__", &construct_plan, is_constructor(), py::arg("config"), py::arg("layout"),
           py::kw_only(), py::arg("kernels") = py::none(), py::arg("rounding") = 0.0)
      .def_property_readonly("num_bins", &Plan::num_bins)
      .def_property_readonly("is_analytic", &Plan::is_analytic)
      .def_property_readonly("kernels", &Plan::kernels)
      .def("num_frames", &Plan::num_frames, py::arg("num_samples"))
      .def("call_keeping", &Plan::call_keeping, py::arg("x").noconvert(),
           py::arg("num_threads") = 0)
      .def("pull_back", &Plan::pull_back, py::arg("x").noconvert(),
           py::arg("cotangent").noconvert(), py::arg("signal"), py::arg("weights"),
           py::arg("num_threads") = 0, py::arg("kept") = py::none())
      .def("call_clips", &Plan::call_clips, py::arg("clips"), py::arg("leading"),
           py::arg("num_frames"), py::arg("out") = py::none(), py::arg("num_threads") = 0,
           py::arg("scale") = 0.0, py::arg("num_channels") = 1)
      .def("__call__", &Plan::call, py::arg("x").noconvert(), py::arg("out") = py::none(),
           py::arg("num_threads") = 0, py::arg("scale") = 0.0);
}

}  // namespace specfast_python
