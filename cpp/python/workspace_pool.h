// SPDX-License-Identifier: BSD-3-Clause
// Workspaces of one plan that wait for their next call: allocating scratch would cost more than a
// short call.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "specfast/specfast.hpp"

namespace specfast_python {

// `Plan` is what a `Workspace` is made for.
template <typename Plan, typename Workspace>
class BasicWorkspacePool {
 public:
  class Lease;

  BasicWorkspacePool() { idle_.reserve(kMaxIdle); }  // giving a workspace back must not throw

 private:
  static constexpr std::size_t kMaxIdle = 4;

  struct Idle {
    std::int32_t num_threads;
    std::unique_ptr<Workspace> workspace;
  };

  Idle take(const Plan& plan, std::int32_t num_threads) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto fits = [num_threads](const Idle& idle) { return idle.num_threads == num_threads; };
      const auto found = std::find_if(idle_.begin(), idle_.end(), fits);
      if (found != idle_.end()) {
        Idle taken = std::move(*found);
        idle_.erase(found);
        return taken;
      }
    }
    return {num_threads, std::make_unique<Workspace>(plan, num_threads)};
  }

  void give_back(Idle idle) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() >= kMaxIdle) idle_.erase(idle_.begin());
    idle_.push_back(std::move(idle));
  }

  std::mutex mutex_;
  std::vector<Idle> idle_;
};

// Takes a workspace from the pool, or makes one, and gives it back. Both happen under the GIL, so
// that os.fork() never finds the mutex locked.
template <typename Plan, typename Workspace>
class BasicWorkspacePool<Plan, Workspace>::Lease {
 public:
  Lease(BasicWorkspacePool& pool, const Plan& plan, std::int32_t num_threads)
      : pool_(pool), held_(pool.take(plan, num_threads)) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() { pool_.give_back(std::move(held_)); }

  Workspace& workspace() { return *held_.workspace; }

 private:
  BasicWorkspacePool& pool_;
  Idle held_;
};

using WorkspacePool = BasicWorkspacePool<specfast::Plan, specfast::Workspace>;

}  // namespace specfast_python
