// SPDX-License-Identifier: BSD-3-Clause
#include "python/gil.h"

#include <chrono>
#include <thread>

namespace specfast_python {
namespace {

// Python's handlers of signals run in this thread alone.
bool is_main_thread() {
  const py::object main = py::module_::import("threading").attr("main_thread")();
  return main.attr("ident").cast<unsigned long>() == PyThread_get_thread_ident();
}

}  // namespace

GilRelease::GilRelease(bool handles_signals) : state_(PyEval_SaveThread()) {
  if (handles_signals) specfast_set_interrupt(GilRelease::handle_signals, this);
}

GilRelease::~GilRelease() {
  specfast_set_interrupt(nullptr, nullptr);
  take_back();
}

void GilRelease::take_back() noexcept {
  try {
    PyEval_RestoreThread(state_);
  } catch (...) {
    // The interpreter is at its end. Python before 3.14 then ends threads by unwinding them, which
    // must not leave a destructor; a thread that waits is ended with the process.
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

std::int32_t GilRelease::handle_signals(void* self) noexcept {
  GilRelease& release = *static_cast<GilRelease*>(self);
  release.take_back();
  bool is_raised = PyErr_CheckSignals() != 0;
  try {
    if (!is_raised && !is_main_thread()) specfast_set_interrupt(nullptr, nullptr);
  } catch (py::error_already_set& error) {
    error.restore();
    is_raised = true;
  }
  release.state_ = PyEval_SaveThread();
  return is_raised;
}

}  // namespace specfast_python
