// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/error.h"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace specfast::engine {
namespace {

std::atomic<int> chosen_num_threads{0};
#if defined(_OPENMP)
std::atomic<bool> in_forked_child{false};
#if defined(__unix__) || defined(__APPLE__)
// When the library is loaded, not with the first plan: that one may be made in a child whose parent
// let others use OpenMP.
[[maybe_unused]] const int fork_watch =
    pthread_atfork(nullptr, nullptr, [] { in_forked_child = true; });
#endif
#endif

// The number in an environment variable, 0 where it holds no positive one. OMP_NUM_THREADS may be a
// list; its first entry counts.
int threads_from_environment(const char* name) {
  const char* const text = std::getenv(name);
  if (!text) return 0;
  char* end;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' && *end != ',') return 0;
  return value > 0 ? int(std::min<long>(value, kMaxThreads)) : 0;
}

int processors_by_affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return int(std::max(1u, std::thread::hardware_concurrency()));
}

// Processors that the container's quota is worth, rounded up; a large number where there is none.
int processors_by_quota() {
  constexpr int kUnlimited = 1 << 20;
  double quota = -1, period = 0;
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string first;
  if (v2 >> first >> period) {
    if (first == "max") return kUnlimited;
    quota = std::strtod(first.c_str(), nullptr);
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  if (quota <= 0 || period <= 0) return kUnlimited;
  return std::max(1, int(std::ceil(quota / period)));
}

int environment_num_threads() {
  static const int num_threads = [] {
    if (!built_with_openmp()) return 1;
    if (const int n = threads_from_environment("SPECFAST_NUM_THREADS")) return n;
    if (const int n = threads_from_environment("OMP_NUM_THREADS")) return n;
    return std::min(processors_by_affinity(), processors_by_quota());
  }();
  return num_threads;
}

// The ranges of one call. Threads take the next one until none is left, so that a thread that loses
// its processor for a while holds up little.
class Ranges {
 public:
  Ranges(int64_t num_tasks, int num_threads, const Body& body)
      : num_tasks_(num_tasks),
        num_ranges_(std::min<int64_t>(num_tasks, num_threads * kRangesPerThread)),
        num_threads_(num_threads),
        body_(body) {}

  void work(int thread) noexcept {
    for (int64_t range; (range = next_range_++) < num_ranges_; ++num_done_) {
      try {
        body_(thread, begin_of(range), begin_of(range + 1));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failure_mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
    }
  }

  // As a task of a runner. Each call gets a number of its own, whatever the runner says: two calls
  // with one number would share scratch memory.
  static void work_for_runner(void* ranges, int32_t) {
    Ranges& self = *static_cast<Ranges*>(ranges);
    const int thread = self.next_thread_++;
    if (thread < self.num_threads_) self.work(thread);
  }

  void finish() const {
    if (failure_) std::rethrow_exception(failure_);
    if (num_done_ < num_ranges_) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "runner must return when every task has returned, received a runner that left " +
                      std::to_string(num_ranges_ - num_done_) + " of " +
                      std::to_string(num_ranges_) + " pieces of the work undone");
    }
  }

 private:
  static constexpr int64_t kRangesPerThread = 8;

  int64_t begin_of(int64_t range) const {
    return num_tasks_ / num_ranges_ * range + std::min(range, num_tasks_ % num_ranges_);
  }

  const int64_t num_tasks_, num_ranges_;
  const int num_threads_;
  const Body& body_;
  std::atomic<int64_t> next_range_{0}, num_done_{0};
  std::atomic<int> next_thread_{0};
  std::exception_ptr failure_;
  std::mutex failure_mutex_;
};

// Tells whether threads of OpenMP can be had here.
bool may_use_openmp() {
#if defined(_OPENMP)
  return !in_forked_child && !omp_in_parallel();
#else
  return false;
#endif
}

}  // namespace

void parallel_for(int64_t num_tasks, int64_t min_tasks_per_thread, const Team& team,
                  const Body& body) {
  const int64_t worthwhile = num_tasks / std::max<int64_t>(min_tasks_per_thread, 1);
  const int num_threads = int(std::min<int64_t>(team.num_threads, worthwhile));
  if (num_threads <= 1 || !(team.runner || may_use_openmp())) {
    body(0, 0, num_tasks);
    return;
  }
  Ranges ranges(num_tasks, num_threads, body);
  if (team.runner) {
    team.runner(team.context, num_threads, Ranges::work_for_runner, &ranges);
  } else {
#if defined(_OPENMP)
#pragma omp parallel num_threads(num_threads)
    ranges.work(omp_get_thread_num());
#endif
  }
  ranges.finish();
}

int useful_threads(int num_threads) {
#if defined(_OPENMP)
  const int ceiling = std::max(16, 2 * processors_by_affinity());
  return std::min({num_threads, ceiling, omp_get_thread_limit()});
#else
  return std::min(num_threads, 1);
#endif
}

int default_num_threads() {
  const int chosen = chosen_num_threads;
  return chosen > 0 && built_with_openmp() ? chosen : environment_num_threads();
}

void set_default_num_threads(int num_threads) { chosen_num_threads = num_threads; }

bool built_with_openmp() {
#if defined(_OPENMP)
  return true;
#else
  return false;
#endif
}

}  // namespace specfast::engine
