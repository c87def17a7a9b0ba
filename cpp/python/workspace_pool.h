// SPDX-License-Identifier: BSD-3-Clause
// Workspaces of one plan that wait for their next call: allocating scratch would cost more than a
// short call.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "specfast/specfast.hpp"

namespace specfast_python {

class WorkspacePool {
 public:
  class Lease;

  WorkspacePool() { idle_.reserve(kMaxIdle); }  // giving a workspace back must not throw

 private:
  static constexpr std::size_t kMaxIdle = 4;

  struct Idle {
    std::int32_t num_threads;
    std::unique_ptr<specfast::Workspace> workspace;
  };

  Idle take(const specfast::Plan& plan, std::int32_t num_threads);
  void give_back(Idle idle) noexcept;

  std::mutex mutex_;
  std::vector<Idle> idle_;
};

// Takes a workspace from the pool, or makes one, and gives it back. Both happen under the GIL, so
// that os.fork() never finds the mutex locked.
class WorkspacePool::Lease {
 public:
  Lease(WorkspacePool& pool, const specfast::Plan& plan, std::int32_t num_threads)
      : pool_(pool), held_(pool.take(plan, num_threads)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { pool_.give_back(std::move(held_)); }

  specfast::Workspace& workspace() { return *held_.workspace; }

 private:
  WorkspacePool& pool_;
  Idle held_;
};

}  // namespace specfast_python
