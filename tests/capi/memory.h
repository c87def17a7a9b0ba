// SPDX-License-Identifier: BSD-3-Clause
// Stands in for operator new and delete in the whole program: counts, and fails where it is told
// to.
#pragma once

#include <atomic>
#include <cstddef>

namespace fuzz {

// More at once is always refused; 128 MiB at first.
extern std::atomic<std::size_t> max_bytes;
// Until an allocation by operator new fails; negative: none does.
extern std::atomic<long> allocations_left;
// Whether all that follow the one that fails do so too, until allocations_left is set again.
extern std::atomic<bool> all_fail_then;
// Allocations that were made to fail, and those that are not freed.
extern std::atomic<long> num_failed, num_live;

}  // namespace fuzz
