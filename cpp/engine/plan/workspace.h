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
  Workspace(const Plan& plan, const Team& team)
      : team_(team),
        bytes_per_thread_(plan.workspace_bytes()),
        memory_(int64_t(bytes_per_thread_), team.num_threads) {}

  const Team& team() const { return team_; }
  int num_threads() const { return team_.num_threads; }
  bool fits(const Plan& plan) const { return bytes_per_thread_ >= plan.workspace_bytes(); }
  std::byte* of_thread(int thread) { return memory_.of_thread(thread); }

 private:
  Team team_;
  std::size_t bytes_per_thread_;
  ThreadBuffers<std::byte> memory_;
};

}  // namespace specfast::engine
