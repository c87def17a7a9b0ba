// SPDX-License-Identifier: BSD-3-Clause
#include "python/arrays.h"

#include "python/result_memory.h"

namespace specfast_python {
namespace {

struct Extent {
  std::intptr_t begin, end;
};

// The bytes between the lowest and the highest address that an array reaches.
Extent extent_of(const py::array& array) {
  Extent extent{reinterpret_cast<std::intptr_t>(array.data()),
                reinterpret_cast<std::intptr_t>(array.data())};
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) {
    if (array.shape(axis) == 0) return {0, 0};
    const std::intptr_t reach = (array.shape(axis) - 1) * array.strides(axis);
    (reach < 0 ? extent.begin : extent.end) += reach;
  }
  extent.end += array.itemsize();
  return extent;
}

bool may_overlap(const py::array& a, const py::array& b) {
  const Extent first = extent_of(a), second = extent_of(b);
  return first.begin < second.end && second.begin < first.end;
}

bool is_aligned(const py::array& array) {
  return (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
}

std::string dtype_name(const py::array& array) { return py::str(array.dtype()); }

}  // namespace

Shape shape_of(const py::array& array) {
  return Shape(array.shape(), array.shape() + array.ndim());
}

std::string describe(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

py::ssize_t checked_product(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  if (__builtin_mul_overflow(a, b, &result)) {
    throw py::value_error("x is too large: an output axis of " + std::to_string(a) + " * " +
                          std::to_string(b) + " elements does not fit 64 bits");
  }
  return result;
}

void check_output_size(const Shape& shape, std::int64_t element_bytes) {
  std::int64_t bytes = element_bytes;
  for (const py::ssize_t count : shape) {
    if (count == 0) return;
    if (__builtin_mul_overflow(bytes, count, &bytes)) {
      throw py::value_error("x is too large: an output of shape " + describe(shape) +
                            " does not fit the address space");
    }
  }
}

std::int32_t input_dtype(const py::array& x) {
  const py::dtype dtype = x.dtype();
  const bool native = dtype.byteorder() == '=' || dtype.byteorder() == '|';
  if (native && is_aligned(x)) {
    if (dtype.kind() == 'f' && dtype.itemsize() == 4) return SPECFAST_FLOAT32;
    if (dtype.kind() == 'f' && dtype.itemsize() == 8) return SPECFAST_FLOAT64;
    if (dtype.kind() == 'i' && dtype.itemsize() == 2) return SPECFAST_INT16;
  }
  throw py::type_error(
      "x must be an aligned array of native float32, float64 or int16, received dtype=" +
      dtype_name(x) + (is_aligned(x) ? "" : " (misaligned)"));
}

void require_dtype(const py::array& array, std::int32_t dtype) {
  if (input_dtype(array) == dtype) return;
  throw py::type_error("arrays must have the dtype of the configuration, " +
                       std::string(py::str(numpy_dtype(dtype))) + ", received " +
                       std::string(py::str(array.dtype())));
}

void require_signals(const py::array& signals, const py::array& frames) {
  if (signals.ndim() == 3 && signals.shape(0) == frames.shape(0) &&
      signals.shape(1) == frames.shape(1))
    return;
  throw py::value_error("signals must have shape (batch, channels, samples), received shape " +
                        describe(shape_of(signals)) + " for frames of shape " +
                        describe(shape_of(frames)));
}

void require_writable(const py::array& array) {
  if (!array.writeable())
    throw py::value_error("arrays that are written to must be writable, received a read-only one");
}

std::int64_t element_stride(const py::array& x, py::ssize_t axis) {
  // The stride of an axis of at most one element is never followed, and NumPy lets it be anything.
  if (x.shape(axis) <= 1) return 0;
  if (x.strides(axis) % x.itemsize() != 0) {
    throw py::value_error(
        "x must have strides that are multiples of its element size, received strides[" +
        std::to_string(axis) + "]=" + std::to_string(x.strides(axis)));
  }
  return x.strides(axis) / x.itemsize();
}

py::dtype numpy_dtype(std::int32_t dtype) {
  return dtype == SPECFAST_FLOAT64 ? py::dtype::of<double>() : py::dtype::of<float>();
}

std::int64_t element_bytes(std::int32_t dtype) {
  return dtype == SPECFAST_FLOAT64 ? sizeof(double) : sizeof(float);
}

py::array output_array(const py::object& out, const Shape& shape, std::int32_t dtype,
                       const py::array& x) {
  if (out.is_none()) return new_result(numpy_dtype(dtype), shape);
  if (!py::isinstance<py::array>(out)) {
    throw py::type_error("out must be a numpy.ndarray, received out of type " +
                         std::string(py::str(py::type::of(out))));
  }
  py::array array = py::reinterpret_borrow<py::array>(out);
  if (!array.dtype().is(numpy_dtype(dtype)) && !array.dtype().equal(numpy_dtype(dtype))) {
    throw py::type_error("out must have dtype " + std::string(py::str(numpy_dtype(dtype))) +
                         ", received out.dtype=" + dtype_name(array));
  }
  const Shape received = shape_of(array);
  if (received != shape) {
    throw py::value_error("out must have shape " + describe(shape) +
                          ", received out.shape=" + describe(received));
  }
  if (!(array.flags() & py::array::c_style)) {
    throw py::value_error("out must be C-contiguous, received strides=" +
                          describe(Shape(array.strides(), array.strides() + array.ndim())));
  }
  if (!array.writeable()) throw py::value_error("out must be writable, received a read-only array");
  if (!is_aligned(array))
    throw py::value_error("out must be aligned to its dtype, received a misaligned array");
  if (may_overlap(array, x))
    throw py::value_error("out must not share memory with x, received overlapping arrays");
  return array;
}

}  // namespace specfast_python
