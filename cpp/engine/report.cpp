// SPDX-License-Identifier: BSD-3-Clause
#include "report.h"

#include <cstring>
#include <string>

namespace specfast::engine {
namespace {

// A fixed buffer: reporting must work when memory has run out, and on a real-time thread.
thread_local char message_of_thread[512] = "";

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

const char* last_error() noexcept { return message_of_thread; }

specfast_status fail(specfast_status status, std::initializer_list<Part> message) noexcept {
  constexpr std::size_t kRoom = sizeof(message_of_thread) - 1;
  std::size_t used = 0;
  for (const Part& part : message) {
    char digits[24];
    const char* const text = part.text() ? part.text() : digits;
    std::size_t length = part.text() ? std::strlen(text) : write_number(part.number(), digits);
    if (length > kRoom - used) {
      length = kRoom - used;
      while (length > 0 && (text[length] & 0xC0) == 0x80) --length;  // no half of a UTF-8 character
    }
    std::memmove(message_of_thread + used, text, length);
    used += length;
  }
  message_of_thread[used] = '\0';
  return status;
}

void require_pointer(const char* name, const void* pointer) {
  if (!pointer) throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(name) + " must not be NULL");
}

void require_struct_size(const char* name, std::size_t received, std::size_t expected) {
  if (received == expected) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(name) + ".struct_size must be " +
                                               std::to_string(expected) + ", received " +
                                               std::to_string(received));
}

}  // namespace specfast::engine
