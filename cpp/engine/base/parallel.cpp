// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/interrupt.h"
#include "engine/base/system.h"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
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

int allowed_processors() {
  const int by_affinity = processors_by_affinity();
  return by_affinity > 0 ? by_affinity : int(std::max(1u, std::thread::hardware_concurrency()));
}

int environment_num_threads() {
  static const int num_threads = [] {
    if (!built_with_openmp()) return 1;
    if (const int n = threads_from_environment("SPECFAST_NUM_THREADS")) return n;
    if (const int n = threads_from_environment("OMP_NUM_THREADS")) return n;
    return std::min(allowed_processors(), processors_by_quota());
  }();
  return num_threads;
}

// The ranges of one call. Threads take the next one until none is left, so that a thread that loses
// its processor for a while holds up little.
class Ranges {
 public:
  Ranges(int64_t num_tasks, int64_t min_tasks_per_thread, int num_threads, const Body& body)
      : num_tasks_(num_tasks),
        num_ranges_(std::min(num_tasks, (num_threads > 1 ? num_threads * kRangesPerThread : 1) +
                                            num_tasks / (kRangeUnits * min_tasks_per_thread))),
        num_threads_(num_threads),
        body_(body) {}

  void work(int thread) noexcept {
    const bool is_caller = std::this_thread::get_id() == caller_;
    for (int64_t range; !is_ended_ && (range = next_range_++) < num_ranges_; ++num_done_) {
      if (is_caller && is_interrupted()) is_ended_ = true;
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
    if (is_ended_) throw_interrupted();
    if (num_done_ < num_ranges_) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "runner must return when every task has returned, received a runner that left " +
                      std::to_string(num_ranges_ - num_done_) + " of " +
                      std::to_string(num_ranges_) + " pieces of the work undone");
    }
  }

 private:
  // A range is no longer than this many tasks that are worth a thread: between two of them, the
  // call can end.
  static constexpr int64_t kRangeUnits = 16;
  static constexpr int64_t kRangesPerThread = 8;

  int64_t begin_of(int64_t range) const {
    return num_tasks_ / num_ranges_ * range + std::min(range, num_tasks_ % num_ranges_);
  }

  const int64_t num_tasks_, num_ranges_;
  const int num_threads_;
  const Body& body_;
  std::atomic<int64_t> next_range_{0}, num_done_{0};
  std::atomic<int> next_thread_{0};
  std::atomic<bool> is_ended_{false};
  const std::thread::id caller_ = std::this_thread::get_id();
  std::exception_ptr failure_;
  std::mutex failure_mutex_;
};

// A runner that starts a thread for each task but the first, which is the caller's. Where no more
// threads can be had, those that there are do the work.
[[maybe_unused]] void run_on_new_threads(void*, int32_t num_tasks, specfast_task task,
                                         void* argument) {
  std::vector<std::thread> threads;
  try {
    threads.reserve(std::size_t(num_tasks) - 1);
    for (int32_t index = 1; index < num_tasks; ++index)
      threads.emplace_back([=] { task(argument, index); });
  } catch (const std::exception&) {
  }
  task(argument, 0);
  for (std::thread& thread : threads) thread.join();
}

// Has num_threads threads work on the ranges.
void work_on(Ranges& ranges, int num_threads, const Team& team) {
  if (num_threads == 1) return ranges.work(0);
  if (team.runner) return team.runner(team.context, num_threads, Ranges::work_for_runner, &ranges);
#if defined(_OPENMP)
  if (in_forked_child) {
    return run_on_new_threads(nullptr, num_threads, Ranges::work_for_runner, &ranges);
  }
#pragma omp parallel num_threads(num_threads)
  ranges.work(omp_get_thread_num());
#endif
}

// Tells whether the caller's own thread is the only one to be had here.
bool is_alone() {
#if defined(_OPENMP)
  return omp_in_parallel();
#else
  return true;
#endif
}

}  // namespace

void parallel_for(int64_t num_tasks, int64_t min_tasks_per_thread, const Team& team,
                  const Body& body) {
  min_tasks_per_thread = std::max<int64_t>(min_tasks_per_thread, 1);
  const int64_t worthwhile = std::max<int64_t>(num_tasks / min_tasks_per_thread, 1);
  const int num_threads =
      team.runner || !is_alone() ? int(std::min<int64_t>(team.num_threads, worthwhile)) : 1;
  Ranges ranges(num_tasks, min_tasks_per_thread, num_threads, body);
  work_on(ranges, num_threads, team);
  ranges.finish();
}

int useful_threads(int num_threads) {
#if defined(_OPENMP)
  const int ceiling = std::max(16, 2 * allowed_processors());
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
