// SPDX-License-Identifier: BSD-3-Clause
// The top_db clamp, after all levels are written: one block a scope finds the floor, then one block
// a group raises what lies below it.
#pragma once

#include "cuda/kernels/bands.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Finds the floor of each scope: top_db below the maximum of its groups; NaN if one holds a NaN.
template <typename T>
struct FloorProgram {
  struct Arguments {
    DeviceCall<T> call;
    int64_t num_groups;  // of one scope
  };
  struct Registers {};
  // As many as a block can have: one block may see the groups of a whole batch.
  static constexpr int kThreads = 1024, kMinBlocks = 1;

  static int64_t shared_bytes(const Arguments&) {
    return SharedBytes().add<ThreadExtrema<T>>(kThreads).total();
  }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& arguments) {
    const DeviceCall<T>& call = arguments.call;
    const TileExtrema<T>* const groups = call.extrema + block.index() * arguments.num_groups;
    join_extrema<T>(
        block,
        [&](int thread, auto&) {
          ThreadExtrema<T> seen;
          for (int64_t i = thread; i < arguments.num_groups; i += kThreads)
            seen.include(ThreadExtrema<T>{groups[i].max, groups[i].min, groups[i].has_nan});
          return seen;
        },
        [&](const ThreadExtrema<T>& all) {
          call.floors[block.index()] =
              all.has_nan ? T(__builtin_nan("")) : all.max - call.plan.top_db;
        });
  }
};

// Raises the levels of each group to the floor of its scope.
template <typename T>
struct ClampProgram {
  using Arguments = DeviceCall<T>;
  struct Registers {};
  static constexpr int kThreads = 128, kMinBlocks = 1;

  static int64_t shared_bytes(const Arguments&) { return 0; }

  template <typename Block>
  static SPECFAST_INLINE void run(Block& block, const Arguments& call) {
    const Group group(call, block.index());
    const T floor = call.floors[call.plan.has_common_maximum ? 0 : group.signal];
    // Nothing changes then; never so for a NaN.
    if (call.extrema[block.index()].min >= floor) return;
    block.phase([&](int thread, auto&) {
      for_each_row(call.arrays, group, int(call.plan.tile.num_bands), thread, kThreads,
                   [&](int, int, int64_t place) { raise_result(call.arrays, place, floor); });
    });
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
