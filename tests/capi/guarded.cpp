// SPDX-License-Identifier: BSD-3-Clause
#include "guarded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fuzz {
namespace {

// Four parts, each of whole pages: a page that says what the block is, a guard, the block, a guard.
constexpr unsigned char kUntouched = 0xA5;

std::size_t page() {
  static const std::size_t bytes = std::size_t(sysconf(_SC_PAGESIZE));
  return bytes;
}

struct Description {
  std::size_t bytes, mapped;
};

unsigned char* first_page_of(void* memory) {
  return reinterpret_cast<unsigned char*>(reinterpret_cast<std::uintptr_t>(memory) & ~(page() - 1));
}

void check_untouched(const unsigned char* from, const unsigned char* to) {
  for (; from != to; ++from) {
    if (*from == kUntouched) continue;
    std::fputs("something was written beside a block of memory\n", stderr);
    std::abort();
  }
}

}  // namespace

void* map_between_guards(std::size_t bytes, std::size_t alignment) noexcept {
  if (bytes == 0) bytes = 1;
  const std::size_t room = (bytes + page() - 1) / page() * page(), mapped = room + 3 * page();
  void* const all = mmap(nullptr, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return nullptr;
  unsigned char* const begin = static_cast<unsigned char*>(all) + 2 * page();
  if (mprotect(all, page(), PROT_READ | PROT_WRITE) != 0 ||
      mprotect(begin, room, PROT_READ | PROT_WRITE) != 0) {
    munmap(all, mapped);
    return nullptr;
  }
  *static_cast<Description*>(all) = {bytes, mapped};
  static std::atomic<unsigned> number{0};
  const std::size_t free = room - bytes;
  unsigned char* const block = begin + (++number % 4 ? free & ~(alignment - 1) : 0);
  std::memset(begin, kUntouched, std::size_t(block - begin));
  std::memset(block + bytes, kUntouched, std::size_t(begin + room - block) - bytes);
  return block;
}

void unmap(void* memory) noexcept {
  unsigned char* const begin = first_page_of(memory);
  unsigned char* const block = static_cast<unsigned char*>(memory);
  const Description what = *reinterpret_cast<const Description*>(begin - 2 * page());
  check_untouched(begin, block);
  check_untouched(block + what.bytes, begin + what.mapped - 3 * page());
  munmap(begin - 2 * page(), what.mapped);
}

}  // namespace fuzz
