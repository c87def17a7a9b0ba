// SPDX-License-Identifier: BSD-3-Clause
// Table of contents of specfast._core.
#include <pybind11/pybind11.h>

#include "specfast/specfast.hpp"

namespace specfast_python {

namespace py = pybind11;

void register_config(py::module_& module);
void register_plan(py::module_& module);
void register_stream(py::module_& module);
void register_tables(py::module_& module);
void register_bands(py::module_& module);
void register_inverse(py::module_& module);
void register_inverse_stream(py::module_& module);
void register_griffin_lim(py::module_& module);
void register_library(py::module_& module);
void register_device(py::module_& module);
void register_dlpack(py::module_& module);

namespace {

void translate_error(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const specfast::Error& error) {
    const bool environment = error.status() == SPECFAST_E_UNAVAILABLE_ISA ||
                             error.status() == SPECFAST_E_UNAVAILABLE_DEVICE ||
                             error.status() == SPECFAST_E_INTERNAL ||
                             error.status() == SPECFAST_E_BUSY;
    py::set_error(environment ? PyExc_RuntimeError : PyExc_ValueError, error.what());
  }
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled engine of specfast.";
  py::register_local_exception_translator(translate_error);
  register_config(module);
  register_plan(module);
  register_stream(module);
  register_tables(module);
  register_bands(module);
  register_inverse(module);
  register_inverse_stream(module);
  register_griffin_lim(module);
  register_library(module);
  register_device(module);
  register_dlpack(module);
}

}  // namespace specfast_python
