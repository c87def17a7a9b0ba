// SPDX-License-Identifier: BSD-3-Clause
// Generated calls of every function of the C ABI, good and bad ones, in and out of order.
//
//   capi_fuzz [SEED [NUM_CALLS]]
//
// A good call must succeed, a bad one must be refused with a status and a message, and nothing may
// crash: build it with SPECFAST_SANITIZE=address,undefined. Whole signals that went through a
// stream are compared with one call of specfast_execute. Every allocation of every function is made
// to fail once, and some among the generated calls. Equal seeds give equal calls. Exit status 0 if
// all is well; a broken expectation ends the program at once.
#include <cstdio>
#include <cstdlib>

#include "harness.h"

int main(int argc, char** argv) {
  fuzz::seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const long wanted = argc > 2 ? std::atol(argv[2]) : 20000;
  fuzz::starve();
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
    std::printf("%-28s", function.c_str());
    for (const auto& [status, number] : statuses) {
      std::printf("  %d: %ld", status, number);
      if (status != 0) refusals += number;
    }
    std::printf("\n");
  }
  std::printf("seed %llu: %ld calls, %ld refused or failed, each with a status and a message\n",
              static_cast<unsigned long long>(fuzz::seed), total(), refusals);
}
