// SPDX-License-Identifier: BSD-3-Clause
// What is expected of every call, and what is alive between calls.
#pragma once

#include <map>
#include <string_view>

#include "arguments.h"
#include "memory.h"

namespace fuzz {

// 0: arguments are not made of a seed.
extern std::uint64_t seed;
extern std::map<std::string_view, std::map<int, long>> tally;  // function -> status -> calls

void count(const char* function, int status);
[[noreturn]] void broken(const char* function, int status, const char* expected);

constexpr int kMemory = 1, kRefused = 2;  // besides success: out of memory, any refusal

// Whether the call succeeded; ends the program if it should not have, or should have.
bool check(const char* function, specfast_status status, int allowed, bool may_succeed = true);
void refused(const char* function, specfast_status status);
void check_number(const char* function, std::int64_t number, bool may_fail);

// Takes a variable out of the environment of this process.
void forget_variable(const char* name);

struct Plan {
  specfast_config config;
  specfast_plan* handle = nullptr;
  specfast_workspace* workspace = nullptr;
  ~Plan() {
    specfast_workspace_destroy(workspace);
    specfast_plan_destroy(handle);
  }
};

// Halves the number of samples until the frames of so many signals have no more values, or none is
// left.
std::int64_t shortened(const Plan& plan, std::int64_t num_samples, std::int64_t num_signals,
                       std::int64_t most);
// All frames of so many signals.
std::int64_t num_values_of(const Plan& plan, std::int64_t num_samples, std::int64_t num_signals);

// What calls have to choose from at least, and how many values make them take shorter signals.
struct Limits {
  std::size_t num_plans = 8, num_streams = 12;
  std::int64_t max_values = INT64_MAX;
};
extern Limits limits;

// One call of some function, with what the calls before have made.
void call_something(Random& random);
void forget_everything();

// Into plan.handle, for plan.config.
void create_weighted_plan(Random& random, Plan& plan, bool config_is_bad);
void pull_back(Random& random, const Plan& plan);
// Gradients with and without what the call before has kept: the same bits.
void keep(Random& random, const Plan& plan);

// Bins from random energies of a plan's bands; of a plan without bands: a refusal.
void unmix_bands(Random& random, const Plan& plan);
// The same without an allocation of its own: frames of ones, of a float32 plan with 33 bins.
specfast_status unmix_three_frames(const specfast_plan* plan);

// Every function with every pointer misaligned in turn: each call is refused and names the
// argument.
void refuse_misaligned(Random& random);
// Every function with every allocation failing in turn: a status each time, and no memory is lost.
// The first thing that a process does, so that what the library finds out only once fails too.
void starve();

// Makes an inverse, and tries all that it can do.
void try_inverse(Random& random);
// Loads damaged states into streams of an inverse.
void try_inverse_states(Random& random);
// Searches for signals of small magnitudes.
void try_griffin_lim(Random& random);

// One call of some function with one of the streams; `plans` is not empty.
void try_streams(Random& random, const std::vector<std::unique_ptr<Plan>>& plans);
// Before a plan goes, its streams must; nullptr: all of them.
void destroy_streams_of(const Plan* plan);
// Two threads on one stream: each call succeeds or is refused because of the other.
void race(Random& random);

}  // namespace fuzz
