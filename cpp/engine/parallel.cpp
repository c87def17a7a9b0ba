// SPDX-License-Identifier: BSD-3-Clause
#include "parallel.h"

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

#if defined(_OPENMP)

void run_team(int64_t num_tasks, int num_threads,
              const std::function<void(int, int64_t, int64_t)>& body) {
  // Several pieces a thread, so that a thread that loses its processor for a while holds up little.
  constexpr int64_t kPiecesPerThread = 8;
  const int64_t pieces = std::min<int64_t>(num_tasks, num_threads * kPiecesPerThread);
  std::exception_ptr failure;
  std::mutex failure_mutex;
#pragma omp parallel for schedule(dynamic, 1) num_threads(num_threads)
  for (int64_t piece = 0; piece < pieces; ++piece) {
    try {
      const int64_t begin = num_tasks / pieces * piece + std::min(piece, num_tasks % pieces);
      const int64_t end =
          num_tasks / pieces * (piece + 1) + std::min(piece + 1, num_tasks % pieces);
      body(omp_get_thread_num(), begin, end);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

#endif

}  // namespace

void parallel_for(int64_t num_tasks, int64_t min_tasks_per_thread, int num_threads,
                  const std::function<void(int, int64_t, int64_t)>& body) {
#if defined(_OPENMP)
  const int64_t worthwhile = num_tasks / std::max<int64_t>(min_tasks_per_thread, 1);
  num_threads = int(std::min<int64_t>(num_threads, worthwhile));
  if (num_threads > 1 && !in_forked_child && !omp_in_parallel()) {
    run_team(num_tasks, num_threads, body);
    return;
  }
#else
  (void)min_tasks_per_thread;
  (void)num_threads;
#endif
  body(0, 0, num_tasks);
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
