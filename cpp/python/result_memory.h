// SPDX-License-Identifier: BSD-3-Clause
// Where results live.
#pragma once

#include <pybind11/numpy.h>

#include "python/arrays.h"

namespace specfast_python {

// An uninitialised array. The memory of a result from 4 to 62 MiB is kept when the last reference
// to it goes, for the next result of nearly the same size: fresh memory comes from the system page
// by page, which costs up to a fifth of a call. One block is kept at most, of at most 64 MiB with
// the room for its alignment (glibc keeps as much of what it has on its heap). From 4 MiB on the
// array does not own its memory but has a base, which does.
py::array new_result(const py::dtype& dtype, const Shape& shape);

}  // namespace specfast_python
