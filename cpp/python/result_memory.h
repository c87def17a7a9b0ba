// SPDX-License-Identifier: BSD-3-Clause
// Where results live.
#pragma once

#include <pybind11/numpy.h>

#include "arrays.h"

namespace specfast_python {

// An uninitialised array. The memory of a large result is kept when the last reference to it goes,
// for the next result of about its size: fresh memory comes from the system page by page, which
// costs up to a fifth of a call. One block is kept at most, of at most 64 MiB (the C library keeps
// as much of what it has on its heap).
py::array new_result(const py::dtype& dtype, const Shape& shape);

}  // namespace specfast_python
