// SPDX-License-Identifier: BSD-3-Clause
// Threads: those of OpenMP, the only user of it, or the caller's own.
#pragma once

#include <cstdint>
#include <functional>

#include "specfast/specfast.h"

namespace specfast::engine {

constexpr int kMaxThreads = 4096;

// Who does the work of a call: at most num_threads threads, of OpenMP or started by the runner.
struct Team {
  Team(int threads, specfast_runner its_runner = nullptr, void* its_context = nullptr)
      : num_threads(threads), runner(its_runner), context(its_context) {}

  int num_threads;
  specfast_runner runner;
  void* context;
};

using Body = std::function<void(int thread, int64_t begin, int64_t end)>;

// Calls body(thread, begin, end) on disjoint ranges that cover [0, num_tasks), on the threads of
// the team, each at least min_tasks_per_thread tasks' worth. Without a runner of its own it runs on
// the calling thread alone inside another parallel region; in a child of fork, where GNU OpenMP
// would hang, on threads that are started for the call. The first exception of a body is thrown
// again after all have ended. Throws Error between two ranges once the caller's call is to end.
void parallel_for(int64_t num_tasks, int64_t min_tasks_per_thread, const Team& team,
                  const Body& body);

// num_threads, less what could only cost memory: libgomp ends the process when it cannot start a
// thread.
int useful_threads(int num_threads);

int default_num_threads();
void set_default_num_threads(int num_threads);  // 0 restores the environment's choice
bool built_with_openmp();

}  // namespace specfast::engine
