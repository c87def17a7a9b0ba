// SPDX-License-Identifier: BSD-3-Clause
// How a failure is reported: a status and a message for this thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>

#include "specfast/specfast.h"

namespace specfast::engine {

// A failure that the C ABI reports with this status and message.
class Error : public std::runtime_error {
 public:
  Error(specfast_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  specfast_status status() const { return status_; }

 private:
  specfast_status status_;
};

// A piece of a message: a text or a number.
class Part {
 public:
  Part(const char* text) : text_(text) {}
  Part(int64_t number) : number_(number) {}

  const char* text() const noexcept { return text_; }  // null for a number
  int64_t number() const noexcept { return number_; }

 private:
  const char* text_ = nullptr;
  int64_t number_ = 0;
};

// Writes the message of this thread's last failure and returns `status`. Allocates the first time.
specfast_status fail(specfast_status status, std::initializer_list<Part> message) noexcept;
const char* last_error() noexcept;
specfast_status last_status() noexcept;

// Runs what may throw; reports instead.
template <typename Body>
specfast_status guarded(const Body& body) noexcept {
  try {
    body();
    return SPECFAST_OK;
  } catch (const Error& error) {
    return fail(error.status(), {error.what()});
  } catch (const std::bad_alloc&) {
    return fail(SPECFAST_E_OUT_OF_MEMORY, {"out of memory"});
  } catch (const std::length_error&) {
    return fail(SPECFAST_E_OUT_OF_MEMORY, {"out of memory: a table is too large"});
  } catch (const std::exception& error) {
    return fail(SPECFAST_E_INTERNAL, {error.what()});
  } catch (...) {
    return fail(SPECFAST_E_INTERNAL, {"unknown exception"});
  }
}

// The multiple at which a T must lie; anything behind a void pointer may lie anywhere.
template <typename T>
inline constexpr std::size_t kAlignmentOf = alignof(T);
template <>
inline constexpr std::size_t kAlignmentOf<void> = 1;

// Reports a pointer that is null, or not a multiple of `alignment`. Every pointer of a caller
// passes here or through require_pointer before anything is read or written there.
specfast_status check_pointer(const char* name, const void* pointer,
                              std::size_t alignment) noexcept;
template <typename T>
specfast_status check_pointer(const char* name, const T* pointer) noexcept {
  return check_pointer(name, pointer, kAlignmentOf<T>);
}

// The same as an Error that is thrown.
void require_pointer(const char* name, const void* pointer, std::size_t alignment);
template <typename T>
void require_pointer(const char* name, const T* pointer) {
  require_pointer(name, pointer, kAlignmentOf<T>);
}

void require_struct_size(const char* name, std::size_t received, std::size_t expected);

}  // namespace specfast::engine
