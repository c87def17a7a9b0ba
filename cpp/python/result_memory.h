// SPDX-License-Identifier: BSD-3-Clause
// Where results live.
#pragma once

#include <pybind11/numpy.h>

#include "python/arrays.h"

namespace specfast_python {

// An uninitialised array that owns its memory. That of a result from 4 to 62 MiB is kept when the
// result goes, for the next one of nearly the same size: fresh memory comes from the system page by
// page, which costs up to a fifth of a call. One block is kept at most (glibc keeps as much of what
// it has on its heap). Where another memory handler than NumPy's is set, it provides the memory.
py::array new_result(const py::dtype& dtype, const Shape& shape);

}  // namespace specfast_python
