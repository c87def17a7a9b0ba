// SPDX-License-Identifier: BSD-3-Clause
// NumPy arrays to the strided arrays of the C ABI, and the checks that belong to arrays.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "specfast/specfast.hpp"

namespace specfast_python {

namespace py = pybind11;
using Shape = std::vector<py::ssize_t>;

Shape shape_of(const py::array& array);
std::string describe(const Shape& shape);

// Both throw ValueError where the result does not fit 64 bits, or the bytes the address space.
// NumPy makes its own check, but in words that do not name the argument.
py::ssize_t checked_product(std::int64_t a, std::int64_t b);
void check_output_size(const Shape& shape, std::int64_t element_bytes);

// Returns the specfast_dtype of an input array; TypeError unless it is native, aligned float32,
// float64 or int16.
std::int32_t input_dtype(const py::array& x);

// Throw TypeError unless an array has the dtype that is wanted, and ValueError unless signals
// [batch, channels, samples] stand for frames [batch, channels, frames, ...], or unless an array
// may be written to.
void require_dtype(const py::array& array, std::int32_t dtype);
void require_signals(const py::array& signals, const py::array& frames);
void require_writable(const py::array& array);

// The stride of an axis in elements; ValueError if its byte stride is no multiple of the element.
std::int64_t element_stride(const py::array& x, py::ssize_t axis);

// Both take the specfast_dtype of a plan.
py::dtype numpy_dtype(std::int32_t dtype);
std::int64_t element_bytes(std::int32_t dtype);

// An uninitialised array, or `out` after checking that it is just that and shares no memory with x.
py::array output_array(const py::object& out, const Shape& shape, std::int32_t dtype,
                       const py::array& x);

}  // namespace specfast_python
