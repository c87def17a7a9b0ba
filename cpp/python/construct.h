// SPDX-License-Identifier: BSD-3-Clause
// Constructors of Python classes that fail with a MemoryError where there is no memory.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace specfast_python {

namespace py = pybind11;

// Marks the method __init__ whose function is one of those below.
using is_constructor = py::detail::is_new_style_constructor;

// Makes a value the one of a new Python object, which `holder`, a std::unique_ptr to it, then owns.
//
// py::init does the same up to version 3.1 of pybind11, but for a table that has no room for the
// object: an exception then leaves a function of C, or the value is freed twice.
void hold(py::detail::value_and_holder& place, void* value, const void* holder);

template <typename T>
void hold(py::detail::value_and_holder& place, std::unique_ptr<T> made) {
  hold(place, made.get(), &made);
}

template <typename T, typename... Args>
void construct(py::detail::value_and_holder& place, Args... args) {
  hold(place, std::make_unique<T>(std::forward<Args>(args)...));
}

// Returns the Python object that has this value, for another value that refers to it.
// py::keep_alive would do, but ends the process where its table has no room.
template <typename T>
py::object owner_of(const T& value) {
  return py::cast(value, py::return_value_policy::reference);
}

}  // namespace specfast_python
