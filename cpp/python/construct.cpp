// SPDX-License-Identifier: BSD-3-Clause
#include "python/construct.h"

namespace specfast_python {

void hold(py::detail::value_and_holder& place, void* value, const void* holder) {
  place.value_ptr() = value;
  try {
    place.type->init_instance(place.inst, holder);
  } catch (...) {
    // The value is still the caller's, not that of the object that is about to be destroyed.
    place.value_ptr() = nullptr;
    throw;
  }
}

}  // namespace specfast_python
