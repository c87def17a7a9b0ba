// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/interrupt.h"

#include <chrono>

#include "engine/base/error.h"

namespace specfast::engine {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPeriod{50};

struct Watch {
  specfast_interrupt interrupt = nullptr;
  void* context = nullptr;
  Clock::time_point next{};
};
thread_local Watch watch_of_thread;

}  // namespace

void set_interrupt(specfast_interrupt interrupt, void* context) noexcept {
  watch_of_thread = {interrupt, context, interrupt ? Clock::now() + kPeriod : Clock::time_point()};
}

bool is_interrupted() noexcept {
  Watch& watch = watch_of_thread;
  if (!watch.interrupt || Clock::now() < watch.next) return false;
  const bool ends = watch.interrupt(watch.context) != 0;
  // From now on: the answer may have taken its time.
  watch.next = Clock::now() + kPeriod;
  return ends;
}

void throw_interrupted() {
  throw Error(SPECFAST_E_INTERRUPTED, "the interrupt function of this thread ended the call");
}

}  // namespace specfast::engine
