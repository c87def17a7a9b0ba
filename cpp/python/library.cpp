// SPDX-License-Identifier: BSD-3-Clause
// The library itself: how it was built, and how many threads it uses.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <sstream>
#include <string>
#include <vector>

#include "specfast/specfast.hpp"

namespace specfast_python {

namespace py = pybind11;

namespace {

py::dict build_info() {
  const specfast_build_info info = specfast::build_info();
  std::vector<std::string> available;
  std::stringstream names(info.available_isas);
  for (std::string name; std::getline(names, name, ',');) available.push_back(name);
  py::dict result;
  result["version"] = info.version;
  result["isa"] = info.isa;
  result["available_isas"] = available;
  result["lanes_float32"] = info.lanes_float32;
  result["lanes_float64"] = info.lanes_float64;
  result["num_threads"] = specfast::num_threads();
  result["openmp"] = info.openmp != 0;
  result["compiler"] = info.compiler;
  result["pocketfft"] = info.pocketfft;
  return result;
}

}  // namespace

void register_library(py::module_& module) {
  module.def("build_info", &build_info);
  module.def("set_num_threads", &specfast::set_num_threads, py::arg("num_threads"));
  module.def("get_num_threads", &specfast::num_threads);
}

}  // namespace specfast_python
