// SPDX-License-Identifier: BSD-3-Clause
// The memory of pocketfft's transforms. Included before pocketfft's header.
//
// pocketfft allocates scratch in every transform. It calls malloc and free by their plain names
// from inside its namespace, where our functions shadow the C library's: they allocate from the
// caller's scratch, or forward the call.
#pragma once

#include <cstddef>
#include <cstdlib>

#include "kernels/lanes/isa.inl"

namespace SPECFAST_POCKETFFT {
namespace detail {

struct Scratch {
  // Where it is null, nothing is served: the first request is thrown as a Request.
  char* begin;
  char* next;
  char* end;
};

struct Request {
  std::size_t bytes;
};

// On glibc a thread's first access would allocate without this model, which takes a few of the
// bytes that glibc keeps free for libraries loaded later.
#if defined(__GLIBC__)
__attribute__((tls_model("initial-exec")))
#endif
static thread_local Scratch* scratch_of_thread = nullptr;

inline void* malloc(std::size_t bytes) {
  Scratch* const scratch = scratch_of_thread;
  if (!scratch) return std::malloc(bytes);
  if (!scratch->begin) throw Request{bytes};
  constexpr std::size_t kAlignment = 16;
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > std::size_t(scratch->end - scratch->next)) return std::malloc(bytes);
  char* const memory = scratch->next;
  scratch->next += bytes;
  return memory;
}

// Takes memory back; what was served last comes first, as the scopes of its owners end.
inline void free(void* memory) {
  Scratch* const scratch = scratch_of_thread;
  if (scratch && memory >= scratch->begin && memory < scratch->end) {
    scratch->next = static_cast<char*>(memory);
  } else {
    std::free(memory);
  }
}

// While this lives, transforms of this thread take their memory from `scratch`.
class ScratchScope {
 public:
  explicit ScratchScope(Scratch& scratch) { scratch_of_thread = &scratch; }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;
  ~ScratchScope() { scratch_of_thread = nullptr; }
};

}  // namespace detail
}  // namespace SPECFAST_POCKETFFT
