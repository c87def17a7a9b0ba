// SPDX-License-Identifier: BSD-3-Clause
// Calls into the engine without the GIL, so that other Python threads run meanwhile.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "specfast/specfast.hpp"

namespace specfast_python {

namespace py = pybind11;

// Work, in the unit of Plan::work, that outweighs releasing the GIL: some 20 microseconds.
constexpr double kLongWork = 1 << 15;
// Work that takes some milliseconds or more, and can be interrupted.
constexpr double kInterruptibleWork = 1 << 22;

// Releases the GIL while it lives. Meanwhile the engine may ask Python whether a signal has come:
// its handler may raise, and then the engine's call ends with SPECFAST_E_INTERRUPTED.
class GilRelease {
 public:
  explicit GilRelease(bool handles_signals);
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;
  ~GilRelease();

 private:
  static std::int32_t handle_signals(void* self) noexcept;
  void take_back() noexcept;

  PyThreadState* state_;
};

// Calls the engine, without the GIL if it is worth it. Throws what a signal's handler raised.
template <typename Call>
void call_engine(double work, const Call& call) {
  if (work < kLongWork) return call();
  try {
    const GilRelease release(work >= kInterruptibleWork);
    call();
  } catch (const specfast::Error& error) {
    if (error.status() == SPECFAST_E_INTERRUPTED && PyErr_Occurred()) throw py::error_already_set();
    throw;
  }
}

}  // namespace specfast_python
