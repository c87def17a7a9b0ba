// SPDX-License-Identifier: BSD-3-Clause
//
// Failures of the C functions as exceptions.
//
// Usage:
//
//     specfast::check(specfast_set_num_threads(2));
#pragma once

#include <new>
#include <stdexcept>
#include <string>

#include "types.h"

namespace specfast {

// Any failure but a lack of memory. what() is specfast_last_error().
class Error : public std::runtime_error {
 public:
  explicit Error(specfast_status status)
      : std::runtime_error(specfast_last_error()), status_(status) {}
  Error(specfast_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  specfast_status status() const noexcept { return status_; }

 private:
  specfast_status status_;
};

// Throws std::bad_alloc when out of memory, Error on any other failure.
inline void check(specfast_status status) {
  if (status == SPECFAST_OK) return;
  if (status == SPECFAST_E_OUT_OF_MEMORY) throw std::bad_alloc();
  throw Error(status);
}

}  // namespace specfast
