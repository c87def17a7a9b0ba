// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/error.h"

#include <cstring>
#include <memory>
#include <string>

namespace specfast::engine {
namespace {

// Made at the first failure of a thread. Not a thread_local array: the pocketfft scratch pointer
// puts all of this library's thread-local memory where there is little room (fallback_scratch.inl).
struct Message {
  static constexpr std::size_t kBytes = 512;
#if defined(__MINGW32__)
  // No destructor: it would run when MinGW has freed the memory of the thread.
  char* room() { return array; }
  char array[kBytes] = {};
#else
  char* room() {
    if (!text) text.reset(new (std::nothrow) char[kBytes]);
    return text.get();
  }
  std::unique_ptr<char[]> text;
#endif
  const char* shown = "";
  specfast_status status = SPECFAST_OK;
};
thread_local Message message_of_thread;

std::size_t write_number(int64_t number, char* digits) {
  char reversed[24];
  std::size_t length = 0, written = 0;
  uint64_t magnitude = number < 0 ? 0 - uint64_t(number) : uint64_t(number);
  do reversed[length++] = char('0' + magnitude % 10);
  while (magnitude /= 10);
  if (number < 0) digits[written++] = '-';
  while (length > 0) digits[written++] = reversed[--length];
  return written;
}

}  // namespace

const char* last_error() noexcept { return message_of_thread.shown; }
specfast_status last_status() noexcept { return message_of_thread.status; }

specfast_status fail(specfast_status status, std::initializer_list<Part> message) noexcept {
  Message& thread = message_of_thread;
  thread.status = status;
  char* const to = thread.room();
  if (!to) {
    thread.shown = "out of memory, even for a message";
    return status;
  }
  constexpr std::size_t kRoom = Message::kBytes - 1;
  std::size_t used = 0;
  for (const Part& part : message) {
    char digits[24];
    const char* const text = part.text() ? part.text() : digits;
    std::size_t length = part.text() ? std::strlen(text) : write_number(part.number(), digits);
    if (length > kRoom - used) {
      length = kRoom - used;
      while (length > 0 && (text[length] & 0xC0) == 0x80) --length;  // no half of a UTF-8 character
    }
    std::memmove(to + used, text, length);
    used += length;
  }
  to[used] = '\0';
  thread.shown = to;
  return status;
}

specfast_status check_pointer(const char* name, const void* pointer,
                              std::size_t alignment) noexcept {
  if (!pointer)
    return fail(SPECFAST_E_INVALID_ARGUMENT, {name, " must not be NULL, received ", name, "=0"});
  const std::uintptr_t beyond = reinterpret_cast<std::uintptr_t>(pointer) % alignment;
  if (beyond == 0) return SPECFAST_OK;
  return fail(SPECFAST_E_INVALID_ARGUMENT, {name, " must be aligned to ", int64_t(alignment),
                                            " bytes, received ", int64_t(beyond), " beyond that"});
}

void require_pointer(const char* name, const void* pointer, std::size_t alignment) {
  const specfast_status status = check_pointer(name, pointer, alignment);
  if (status != SPECFAST_OK) throw Error(status, last_error());
}

void require_struct_size(const char* name, std::size_t received, std::size_t expected) {
  if (received == expected) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(name) + ".struct_size must be " +
                                               std::to_string(expected) + ", received " +
                                               std::to_string(received));
}

}  // namespace specfast::engine
