// SPDX-License-Identifier: BSD-3-Clause
#include "harness.h"

#include <cstdio>
#include <cstdlib>
#include <new>

namespace fuzz {
std::atomic<long> allocations_left{-1}, num_failed{0}, num_live{0};
std::atomic<bool> all_fail_then{false};
}  // namespace fuzz

// ---- Memory: more than this is refused ----------------------------------------------------------

namespace {

constexpr std::size_t kMaxBytes = std::size_t(128) << 20;

bool is_refused(std::size_t bytes) {
  if (bytes > kMaxBytes) return true;
  if (fuzz::allocations_left < 0) return false;
  if (fuzz::allocations_left > 0) return --fuzz::allocations_left, false;
  if (!fuzz::all_fail_then) fuzz::allocations_left = -1;
  ++fuzz::num_failed;
  return true;
}

void* allocate_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  if (is_refused(bytes)) return nullptr;
  void* const memory =
      alignment ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                : std::malloc(bytes ? bytes : 1);
  if (memory) ++fuzz::num_live;
  return memory;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  void* const memory = allocate_or_null(bytes, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept {
  if (memory) --fuzz::num_live;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, 0); }
void* operator new[](std::size_t bytes) { return allocate(bytes, 0); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, std::size_t(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, std::size_t(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate_or_null(bytes, 0);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return allocate_or_null(bytes, 0);
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace fuzz {

// ---- Expectations -------------------------------------------------------------------------------

std::uint64_t seed = 1;
std::map<std::string, std::map<int, long>> tally;

void count(const char* function, int status) { ++tally[function][status]; }

void broken(const char* function, int status, const char* expected) {
  std::fprintf(stderr, "seed %llu: %s returned %d (%s), expected %s\n",
               static_cast<unsigned long long>(seed), function, status, specfast_last_error(),
               expected);
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

}  // namespace fuzz
