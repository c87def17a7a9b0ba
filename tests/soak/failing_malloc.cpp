// SPDX-License-Identifier: BSD-3-Clause
// Stands in for malloc and its relatives in a program that preloads it, and fails one allocation of
// one thread where it is told to.
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

namespace {

// Of this thread: allocations until the one that fails; negative: none does.
thread_local long allocations_left = -1;

bool is_refused() {
  if (allocations_left < 0) return false;
  if (allocations_left-- > 0) return false;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
// glibc's own names of its functions.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

// From here on the allocation behind the next `count` of this thread fails.
__attribute__((visibility("default"))) void fail_allocation(long count) {
  allocations_left = count;
}
// Ends that. Returns whether the allocation was reached.
__attribute__((visibility("default"))) int end_of_failing(void) {
  const bool reached = allocations_left < 0;
  allocations_left = -1;
  return reached;
}

__attribute__((visibility("default"))) void* malloc(size_t bytes) {
  return is_refused() ? nullptr : __libc_malloc(bytes);
}
__attribute__((visibility("default"))) void* calloc(size_t number, size_t bytes) {
  return is_refused() ? nullptr : __libc_calloc(number, bytes);
}
__attribute__((visibility("default"))) void* realloc(void* memory, size_t bytes) {
  return is_refused() ? nullptr : __libc_realloc(memory, bytes);
}
__attribute__((visibility("default"))) void* memalign(size_t alignment, size_t bytes) {
  return is_refused() ? nullptr : __libc_memalign(alignment, bytes);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t bytes) {
  return memalign(alignment, bytes);
}
__attribute__((visibility("default"))) int posix_memalign(void** memory, size_t alignment,
                                                          size_t bytes) {
  *memory = memalign(alignment, bytes);
  return *memory ? 0 : ENOMEM;
}
}
