// SPDX-License-Identifier: BSD-3-Clause
// Signals to tiles of frames, and the passes over the whole output.
#pragma once

#include <cstddef>

#include "engine/base/aligned_buffer.h"
#include "engine/base/parallel.h"
#include "engine/plan/plan.h"

namespace specfast::engine {

// Scratch for one call on the threads of a team.
class Workspace {
 public:
  Workspace(const Plan& plan, const Team& team);

  const Team& team() const { return team_; }
  int num_threads() const { return team_.num_threads; }
  bool fits(const Plan& plan) const { return bytes_per_thread_ >= plan.workspace_bytes(); }
  std::byte* of_thread(int thread) { return memory_.of_thread(thread); }

 private:
  Team team_;
  std::size_t bytes_per_thread_;
  ThreadBuffers<std::byte> memory_;
};

struct ExecuteOptions {
  bool clamped = true;   // false: without the top_db clamp
  void* kept = nullptr;  // where the spectra are left too, Plan::num_kept() values a signal
};

// Checks the batch, then computes it.
void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options = {});

}  // namespace specfast::engine
