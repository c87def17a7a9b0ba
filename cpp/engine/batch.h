// SPDX-License-Identifier: BSD-3-Clause
// Signals to tiles of frames, and the passes over the whole output.
#pragma once

#include <cstddef>
#include <memory>

#include "plan.h"

namespace specfast::engine {

// Scratch for one call on up to num_threads threads.
class Workspace {
 public:
  Workspace(const Plan& plan, int num_threads);

  int num_threads() const { return num_threads_; }
  bool fits(const Plan& plan) const { return bytes_per_thread_ >= plan.workspace_bytes(); }
  std::byte* of_thread(int thread) {
    return memory_.get() + std::size_t(thread) * bytes_per_thread_;
  }

 private:
  struct Free {
    void operator()(std::byte* memory) const;
  };
  int num_threads_;
  std::size_t bytes_per_thread_;
  std::unique_ptr<std::byte[], Free> memory_;
};

struct ExecuteOptions {
  bool clamped = true;   // false: without the top_db clamp
  void* kept = nullptr;  // where the spectra are left too, Plan::num_kept() values a signal
};

// Checks the batch, then computes it.
void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options = {});

}  // namespace specfast::engine
