// SPDX-License-Identifier: BSD-3-Clause
// The library's objects, made and destroyed, and arrays in the dtype of a call.
#pragma once

#include <specfast/specfast.h>

#include <cstring>
#include <memory>
#include <vector>

#include "check.h"
#include "compute.h"
#include "random.h"

namespace differential {

template <typename T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
template <typename T, void (*destroy)(T*)>
using Owned = std::unique_ptr<T, Destroy<T, destroy>>;

using Plan = Owned<specfast_plan, specfast_plan_destroy>;
using Workspace = Owned<specfast_workspace, specfast_workspace_destroy>;
using Stream = Owned<specfast_stream, specfast_stream_destroy>;
using Inverse = Owned<specfast_inverse, specfast_inverse_destroy>;
using InverseStream = Owned<specfast_inverse_stream, specfast_inverse_stream_destroy>;
using GriffinLim = Owned<specfast_griffin_lim, specfast_griffin_lim_destroy>;

inline Plan make_plan(const specfast_config& config) {
  specfast_plan* plan;
  check(specfast_plan_create(&config, &plan));
  return Plan(plan);
}

inline Workspace make_workspace(const specfast_plan& plan) {
  specfast_workspace* workspace;
  check(specfast_workspace_create(&plan, 1, &workspace));
  return Workspace(workspace);
}

template <typename T>
struct Structure : T {
  Structure() : T{} { this->struct_size = sizeof(T); }
};

template <typename T>
constexpr std::int32_t kDtype = sizeof(T) == 4 ? SPECFAST_FLOAT32 : SPECFAST_FLOAT64;

template <typename T>
std::vector<T> in_type(const std::vector<double>& values) {
  return std::vector<T>(values.begin(), values.end());
}
template <typename T>
std::vector<double> in_double(const std::vector<T>& values) {
  return std::vector<double>(values.begin(), values.end());
}
template <typename T>
std::vector<T> room_for(std::int64_t count) {
  return std::vector<T>(static_cast<std::size_t>(count));
}

template <typename T>
void require_same_bits(const std::vector<T>& ours, const std::vector<T>& expected,
                       const Problem& problem) {
  require(ours.size() == expected.size() &&
              std::memcmp(ours.data(), expected.data(), ours.size() * sizeof(T)) == 0,
          "pieces and one call differ in bits: " + problem.describe());
}

// Numbers as a variant of the problem is given them; `place` tells them from the problem's others.
inline std::vector<double> varied(std::vector<double> values, const Variant& variant,
                                  std::uint64_t place) {
  Random random(variant.seed ^ (place << 56));
  if (variant.seed != 0) {
    for (double& value : values) value *= 1 + random.pick({-variant.size, variant.size});
  }
  return values;
}
inline std::vector<double> given_noise(const Problem& problem, const Variant& variant,
                                       std::uint64_t place, std::int64_t count) {
  return varied(Random(problem.seed + place).noise(count), variant, place);
}

// ---- Parts of compute() ------------------------------------------------------------------------

template <typename T>
std::vector<Result> compute_forward(const Problem& problem, const Variant& variant);
template <typename T>
std::vector<Result> compute_inverse(const Problem& problem, const Variant& variant);

}  // namespace differential
