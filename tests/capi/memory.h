// SPDX-License-Identifier: BSD-3-Clause
// Stands in for operator new and delete in the whole program: counts, and fails where it is told
// to. With FUZZ_GUARDS in the environment, every block lies between two pages that cannot be
// touched: three of four end where the second one begins, the others begin where the first one
// ends, and bytes that are left over must keep their value. (Windows has no such pages here.)
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

bool has_guards();

// For bytes that need an alignment of their own, which tells how near the guard they come; to be
// freed by operator delete.
void* allocate_aligned(std::size_t bytes, std::size_t alignment);

// Children of this process touch bytes beside blocks, and must be killed for it: at once, or when
// the block is freed. Ends the program if they are not.
void prove_guards();

}  // namespace fuzz
