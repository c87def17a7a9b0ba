// SPDX-License-Identifier: BSD-3-Clause
// Scratch memory for one call on the threads of a team.
#pragma once

#include <cstddef>

#include "engine/base/aligned_buffer.h"
#include "engine/base/parallel.h"
#include "engine/plan/plan.h"

namespace specfast::engine {

class Workspace {
 public:
  Workspace(std::size_t bytes_per_thread, const Team& team)
      : team_(team),
        bytes_per_thread_(bytes_per_thread),
        memory_(int64_t(bytes_per_thread), team.num_threads) {}
  Workspace(const Plan& plan, const Team& team) : Workspace(plan.workspace_bytes(), team) {}

  const Team& team() const { return team_; }
  int num_threads() const { return team_.num_threads; }
  bool fits(std::size_t bytes_per_thread) const { return bytes_per_thread_ >= bytes_per_thread; }
  std::byte* of_thread(int thread) { return memory_.of_thread(thread); }

 private:
  Team team_;
  std::size_t bytes_per_thread_;
  ThreadBuffers<std::byte> memory_;
};

}  // namespace specfast::engine
