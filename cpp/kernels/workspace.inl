// SPDX-License-Identifier: BSD-3-Clause
// Sizes of the parts of a tile's workspace.
#pragma once

#include "kernels/lanes/isa.inl"

namespace SPECFAST_NAMESPACE {
namespace {

constexpr int64_t round_up(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

// Returns how many elements `count` of them take up, so that the next part is aligned.
template <typename T>
constexpr int64_t aligned_count(int64_t count) {
  return round_up(count, int64_t(kWorkspaceAlignment / sizeof(T)));
}

}  // namespace
}  // namespace SPECFAST_NAMESPACE
