// SPDX-License-Identifier: BSD-3-Clause
#include "memory.h"

#include <cstddef>
#include <cstdlib>
#include <new>

#if defined(_WIN32)
#include <malloc.h>
#else
#include "guarded.h"
#endif

namespace fuzz {
std::atomic<long> allocations_left{-1}, num_failed{0}, num_live{0};
std::atomic<bool> all_fail_then{false};
std::atomic<std::size_t> max_bytes{std::size_t(128) << 20};
}  // namespace fuzz

namespace {

bool is_refused(std::size_t bytes) {
  if (bytes > fuzz::max_bytes) return true;
  if (fuzz::allocations_left < 0) return false;
  if (fuzz::allocations_left > 0) return --fuzz::allocations_left, false;
  if (!fuzz::all_fail_then) fuzz::allocations_left = -1;
  ++fuzz::num_failed;
  return true;
}

#if defined(_WIN32)

// Aligned memory has a function of its own to free it, and whoever frees does not know which it is.
void* reserve(std::size_t bytes, std::size_t alignment) {
  return _aligned_malloc(bytes ? bytes : 1, alignment ? alignment : 16);
}
void unreserve(void* memory) { _aligned_free(memory); }

#else

void* reserve(std::size_t bytes, std::size_t alignment) {
  constexpr std::size_t kUsualAlignment = alignof(std::max_align_t);
  if (fuzz::has_guards()) {
    return fuzz::map_between_guards(bytes, alignment ? alignment : kUsualAlignment);
  }
  if (!alignment) return std::malloc(bytes ? bytes : 1);
  return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}
void unreserve(void* memory) {
  if (fuzz::has_guards()) return fuzz::unmap(memory);
  std::free(memory);
}

#endif

void* allocate_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  if (is_refused(bytes)) return nullptr;
  void* const memory = reserve(bytes, alignment);
  if (memory) ++fuzz::num_live;
  return memory;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
  void* const memory = allocate_or_null(bytes, alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

void release(void* memory) noexcept {
  if (!memory) return;
  --fuzz::num_live;
  unreserve(memory);
}

}  // namespace

bool fuzz::has_guards() {
  static const bool has = std::getenv("FUZZ_GUARDS") != nullptr;
  return has;
}

void* fuzz::allocate_aligned(std::size_t bytes, std::size_t alignment) {
  return allocate(bytes, fuzz::has_guards() ? alignment : 0);
}

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
