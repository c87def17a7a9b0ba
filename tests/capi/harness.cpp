// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <cstdio>
#include <cstdlib>

namespace fuzz {

std::uint64_t seed = 0;
std::map<std::string_view, std::map<int, long>> tally;
Limits limits;

void count(const char* function, int status) { ++tally[function][status]; }

void broken(const char* function, int status, const char* expected) {
  if (seed) std::fprintf(stderr, "seed %llu: ", static_cast<unsigned long long>(seed));
  std::fprintf(stderr, "%s returned %d (%s), expected %s\n", function, status,
               specfast_last_error(), expected);
  std::exit(1);
}

bool check(const char* function, specfast_status status, int allowed, bool may_succeed) {
  count(function, status);
  const std::size_t length = std::strlen(specfast_last_error());
  if (status == SPECFAST_OK) {
    if (!may_succeed) broken(function, status, "a refusal");
    return true;
  }
  if (status == SPECFAST_E_INTERNAL) broken(function, status, "no defect");
  if (length == 0 || length > 511) broken(function, status, "a message");
  if (specfast_last_status() != status) broken(function, status, "the status of the last failure");
  const bool memory = status == SPECFAST_E_OUT_OF_MEMORY;
  if (!(allowed & (memory ? kMemory : kRefused))) broken(function, status, "success");
  return false;
}

void refused(const char* function, specfast_status status) {
  check(function, status, kRefused, false);
}

void check_number(const char* function, std::int64_t number, bool may_fail) {
  count(function, number < 0 ? -1 : 0);
  if (number >= 0) return;
  if (!may_fail) broken(function, -1, "a number");
  if (specfast_last_status() == SPECFAST_OK) broken(function, -1, "a status");
}

std::int64_t num_values_of(const Plan& plan, std::int64_t num_samples, std::int64_t num_signals) {
  return specfast_plan_num_frames(plan.handle, num_samples) * specfast_plan_num_rows(plan.handle) *
         num_signals;
}

std::int64_t shortened(const Plan& plan, std::int64_t num_samples, std::int64_t num_signals,
                       std::int64_t most) {
  while (num_samples > 0 && num_values_of(plan, num_samples, num_signals) > most) num_samples /= 2;
  return num_samples;
}

void forget_variable(const char* name) {
#if defined(_WIN32)
  _putenv_s(name, "");
#else
  unsetenv(name);
#endif
}

}  // namespace fuzz
