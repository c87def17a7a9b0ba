// SPDX-License-Identifier: BSD-3-Clause
// Counts what streams must not do on a real-time thread: allocations and locks by standing in for
// the functions, system calls by a seccomp filter that reports every one.
//
//   host PLUGIN NUM_PUSHES
//
// Each case runs in a child of its own, on a thread that did not prepare the streams. Before that,
// the plugin does something forbidden of each kind, and the host must see it. Exit status: 0 if all
// counts are zero, 1 if not, 77 where the filter cannot be installed or SPECFAST_ISA cannot be
// used.
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <new>

#include "plugin.h"

namespace {

struct Counts {
  std::atomic<long> allocations{0}, locks{0}, system_calls{0}, last_system_call{-1};
};
Counts counts;
std::atomic<bool> counting{false};

void count(std::atomic<long>& number) {
  if (counting.load(std::memory_order_relaxed)) number.fetch_add(1, std::memory_order_relaxed);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// ---- Allocations and locks ----------------------------------------------------------------------

extern "C" {
// glibc's own names of its functions.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

__attribute__((visibility("default"))) void* malloc(size_t bytes) {
  count(counts.allocations);
  return __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void* calloc(size_t number, size_t bytes) {
  count(counts.allocations);
  return __libc_calloc(number, bytes);
}
__attribute__((visibility("default"))) void* realloc(void* memory, size_t bytes) {
  count(counts.allocations);
  return __libc_realloc(memory, bytes);
}
__attribute__((visibility("default"))) void free(void* memory) {
  count(counts.allocations);
  __libc_free(memory);
}
__attribute__((visibility("default"))) void* memalign(size_t alignment, size_t bytes) {
  count(counts.allocations);
  return __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t bytes) {
  count(counts.allocations);
  return __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) int posix_memalign(void** memory, size_t alignment,
                                                          size_t bytes) {
  count(counts.allocations);
  *memory = __libc_memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}

#define SPECFAST_COUNT_LOCK(function, type)                         \
  __attribute__((visibility("default"))) int function(type* lock) { \
    static int (*const real)(type*) = next<int(type*)>(#function);  \
    count(counts.locks);                                            \
    return real(lock);                                              \
  }
SPECFAST_COUNT_LOCK(pthread_mutex_lock, pthread_mutex_t)
SPECFAST_COUNT_LOCK(pthread_mutex_trylock, pthread_mutex_t)
SPECFAST_COUNT_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
SPECFAST_COUNT_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)
SPECFAST_COUNT_LOCK(pthread_spin_lock, volatile int)
}

// ---- System calls -------------------------------------------------------------------------------

namespace {

void note_system_call(int, siginfo_t* info, void*) {
  count(counts.system_calls);
  counts.last_system_call = info->si_syscall;
}

// From here on this thread's system calls arrive at note_system_call instead of the kernel, but for
// those that the report needs.
bool install_filter() {
  struct sigaction action = {};
  action.sa_sigaction = note_system_call;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// ---- One case -----------------------------------------------------------------------------------

struct Plugin {
  decltype(plugin_unavailable)* unavailable;
  decltype(plugin_num_cases)* num_cases;
  decltype(plugin_case_name)* case_name;
  decltype(plugin_prepare)* prepare;
  decltype(plugin_run)* run;
};

struct Job {
  const Plugin* plugin;
  long num_pushes;
  Planted planted;
  int to_parent;
};

struct Report {
  long allocations, locks, system_calls, last_system_call;
  char failure[200];
  bool filtered;
};

[[noreturn]] void send(const Job& job, const Report& report) {
  const ssize_t written = write(job.to_parent, &report, sizeof(report));
  syscall(SYS_exit_group, written == ssize_t(sizeof(report)) ? 0 : 1);
  abort();
}

void* run_on_thread(void* argument) {
  const Job& job = *static_cast<const Job*>(argument);
  Report report = {};
  free(malloc(100));  // makes this thread's heap, so that a planted allocation needs no system call
  report.filtered = install_filter();
  if (!report.filtered) send(job, report);
  const Watch watch = {[] { counting = true; }, [] { counting = false; }};
  if (const char* failure = job.plugin->run(job.num_pushes, watch, job.planted))
    strncpy(report.failure, failure, sizeof(report.failure) - 1);
  report.allocations = counts.allocations;
  report.locks = counts.locks;
  report.system_calls = counts.system_calls;
  report.last_system_call = counts.last_system_call;
  send(job, report);
}

// In a child; only the report comes back.
Report run_case(const Plugin& plugin, int index, long num_pushes, Planted planted) {
  int ends[2];
  if (pipe(ends) != 0) abort();
  const pid_t child = fork();
  if (child == 0) {
    Job job{&plugin, num_pushes, planted, ends[1]};
    if (const char* failure = plugin.prepare(index)) {
      Report report = {};
      report.filtered = true;
      strncpy(report.failure, failure, sizeof(report.failure) - 1);
      send(job, report);
    }
    pthread_t thread;
    if (pthread_create(&thread, nullptr, run_on_thread, &job) != 0) abort();
    pthread_join(thread, nullptr);
    abort();
  }
  close(ends[1]);
  Report report = {};
  if (read(ends[0], &report, sizeof(report)) != ssize_t(sizeof(report))) {
    report.filtered = true;
    strcpy(report.failure, "the child ended without a report");
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return report;
}

bool print(const char* name, long num_pushes, const Report& report) {
  printf("%-42s %8ld pushes: %ld allocations, %ld locks, %ld system calls", name, num_pushes,
         report.allocations, report.locks, report.system_calls);
  if (report.system_calls) printf(" (the last one: number %ld)", report.last_system_call);
  printf("%s%s\n", report.failure[0] ? "; failed: " : "", report.failure);
  fflush(stdout);
  return !report.failure[0] && !report.allocations && !report.locks && !report.system_calls;
}

}  // namespace

int main(int argc, char** argv) {
  const long num_pushes = argc == 3 ? atol(argv[2]) : 0;
  if (num_pushes < 1) {
    fprintf(stderr, "usage: %s PLUGIN NUM_PUSHES\n", argv[0]);
    return 2;
  }
  void* const library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const auto find = [library](auto*& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    if (!function) abort();
  };
  Plugin plugin;
  find(plugin.unavailable, "plugin_unavailable");
  find(plugin.num_cases, "plugin_num_cases");
  find(plugin.case_name, "plugin_case_name");
  find(plugin.prepare, "plugin_prepare");
  find(plugin.run, "plugin_run");

  if (const char* reason = plugin.unavailable()) {
    printf("SKIPPED: %s\n", reason);
    return 77;
  }
  bool good = true;
  constexpr const char* kPlantedNames[] = {"", "planted allocation", "planted lock",
                                           "planted system call"};
  for (int planted = kNothing + 1; planted < kNumPlanted; ++planted) {
    const Report report = run_case(plugin, 0, 100, Planted(planted));
    if (!report.filtered) {
      printf("SKIPPED: no seccomp filter can be installed here\n");
      return 77;
    }
    print(kPlantedNames[planted], 100, report);
    const long seen = planted == kAllocation ? report.allocations
                      : planted == kLock     ? report.locks
                                             : report.system_calls;
    if (seen == 0) {
      printf("the counters do not see it: this test proves nothing\n");
      good = false;
    }
  }
  const int num_cases = plugin.num_cases();
  const long each = (num_pushes + num_cases - 1) / num_cases;
  for (int index = 0; index < num_cases; ++index)
    good &= print(plugin.case_name(index), each, run_case(plugin, index, each, kNothing));
  printf("%s\n", good ? "all counts are zero" : "FAILED");
  return good ? 0 : 1;
}
