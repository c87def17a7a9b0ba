// SPDX-License-Identifier: BSD-3-Clause
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>

#include "harness.h"
#include "memory.h"

namespace fuzz {
namespace {

// Whether a child that runs this is killed by that signal.
template <typename Function>
bool ends_by(int signal, Function function) {
  const pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO);
    function();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

}  // namespace

void prove_guards() {
  const std::size_t bytes = std::size_t(sysconf(_SC_PAGESIZE)) + 12;
  int before = 0, behind = 0, slack = 0;
  for (int i = 0; i < 8; ++i) {
    Buffer buffer(bytes);
    volatile unsigned char* const data = static_cast<unsigned char*>(buffer.data());
    before += ends_by(SIGSEGV, [=] { data[-1]; });
    behind += ends_by(SIGSEGV, [=] { data[bytes]; });
    const bool is_noticed = ends_by(SIGABRT, [&] {
      data[i % 2 ? -1 : std::ptrdiff_t(bytes)] = 0;
      buffer = Buffer();
    });
    slack += is_noticed;
  }
  if (before != 2 || behind != 6) broken("the guards", before, "2 before and 6 behind 8 blocks");
  if (slack == 0) broken("the guards", slack, "a look at the bytes between block and guard");
}

}  // namespace fuzz
