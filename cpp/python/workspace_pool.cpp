// SPDX-License-Identifier: BSD-3-Clause
#include "python/workspace_pool.h"

#include <algorithm>
#include <utility>

namespace specfast_python {

WorkspacePool::Idle WorkspacePool::take(const specfast::Plan& plan, std::int32_t num_threads) {
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
  return {num_threads, std::make_unique<specfast::Workspace>(plan, num_threads)};
}

void WorkspacePool::give_back(Idle idle) noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.size() >= kMaxIdle) idle_.erase(idle_.begin());
  idle_.push_back(std::move(idle));
}

}  // namespace specfast_python
