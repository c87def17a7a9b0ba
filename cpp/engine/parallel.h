// SPDX-License-Identifier: BSD-3-Clause
// Threads: the only user of OpenMP.
#pragma once

#include <cstdint>
#include <functional>

namespace specfast::engine {

constexpr int kMaxThreads = 4096;

// Calls body(thread, begin, end) on disjoint ranges that cover [0, num_tasks), on at most
// num_threads threads, each at least min_tasks_per_thread tasks' worth. Runs on the calling thread
// alone inside another parallel region and in a child of fork, where GNU OpenMP would hang. The
// first exception of a body is thrown again after all have ended.
void parallel_for(int64_t num_tasks, int64_t min_tasks_per_thread, int num_threads,
                  const std::function<void(int thread, int64_t begin, int64_t end)>& body);

// num_threads, less what could only cost memory: libgomp ends the process when it cannot start a
// thread.
int useful_threads(int num_threads);

int default_num_threads();
void set_default_num_threads(int num_threads);  // 0 restores the environment's choice
bool built_with_openmp();

}  // namespace specfast::engine
