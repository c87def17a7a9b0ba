// SPDX-License-Identifier: BSD-3-Clause
// Generated calls of every function of the C ABI, good and bad ones, in and out of order.
//
//   capi_fuzz [SEED [NUM_CALLS]]
//
// A good call must succeed, a bad one must be refused with a status and a message, and nothing may
// crash: build it with SPECFAST_SANITIZE=address,undefined. Whole signals that went through a
// stream are compared with one call of specfast_execute. Every allocation of every function is made
// to fail once, and some among the generated calls. Equal seeds give equal calls. Exit status 0 if
// all is well; a broken expectation ends the program at once. With FUZZ_GUARDS in the environment
// all memory lies between pages that cannot be touched (memory.h), in a build without sanitizers
// too; then the exit status is 77 where SPECFAST_ISA cannot be used.
#include <cstdio>
#include <cstdlib>

#include "harness.h"
#include "memory.h"

namespace {

// Whether there are guards, and the instruction set of SPECFAST_ISA can be used.
bool prepare_guards() {
#if defined(_WIN32)
  std::printf("SKIPPED: no guards on Windows\n");
  return false;
#else
  specfast_build_info info = {};
  info.struct_size = sizeof(info);
  if (specfast_get_build_info(&info) == SPECFAST_E_UNAVAILABLE_ISA) {
    std::printf("SKIPPED: %s\n", specfast_last_error());
    return false;
  }
  fuzz::prove_guards();
  std::printf("all memory lies between guards; kernels: %s\n", info.isa);
  return true;
#endif
}

}  // namespace

int main(int argc, char** argv) {
  fuzz::seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const long wanted = argc > 2 ? std::atol(argv[2]) : 20000;
  if (fuzz::has_guards()) {
    if (!prepare_guards()) return 77;
  } else {
    fuzz::starve();
  }
  fuzz::Random random(fuzz::seed);
  const auto total = [] {
    long calls = 0;
    for (const auto& [function, statuses] : fuzz::tally)
      for (const auto& [status, number] : statuses) calls += number;
    return calls;
  };
  while (total() < wanted) fuzz::call_something(random);
  fuzz::race(random);
  fuzz::forget_everything();

  long refusals = 0;
  for (const auto& [function, statuses] : fuzz::tally) {
    std::printf("%-28s", function.data());
    for (const auto& [status, number] : statuses) {
      std::printf("  %d: %ld", status, number);
      if (status != 0) refusals += number;
    }
    std::printf("\n");
  }
  std::printf("seed %llu: %ld calls, %ld refused or failed, each with a status and a message\n",
              static_cast<unsigned long long>(fuzz::seed), total(), refusals);
}
