// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Stream: a stream and the axes of its arrays.
#pragma once

#include <atomic>
#include <string>

#include "python/plan.h"

namespace specfast_python {

class Stream {
 public:
  // max_rule: "none", "fixed" (max_db) or "running". num_samples: 0 unless padding is "same".
  Stream(const Plan& plan, std::int64_t num_channels, const std::string& max_rule, double max_db,
         std::int64_t num_samples);

  // Both return the frames that became ready, laid out as Plan does for one signal, without the
  // batch axis. x has one axis for one channel, else the two axes of a signal.
  py::array push(const py::array& x, double scale);
  py::array flush();
  void reset();
  py::bytes save() const;
  void load(const py::bytes& state);

  std::int64_t latency_samples() const { return stream_.latency_samples(); }

 private:
  specfast::Signals signals_in(const py::array& x) const;
  // Makes an array for num_frames frames, has `write` write them into it, and returns it.
  template <typename Write>
  py::array output_of(std::int64_t num_samples, std::int64_t num_frames, const Write& write);

  py::object owner_;  // of plan_
  const Plan& plan_;
  std::int64_t num_channels_;
  std::int64_t num_rows_;
  std::int32_t dtype_;
  Layout layout_;
  specfast::Stream stream_;
  mutable std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace specfast_python
