// SPDX-License-Identifier: BSD-3-Clause
// What programs of a new GCC ask of libstdc++ and glibc, and those of RHEL 8 do not have.  It
// becomes a part of wheels that tools/old_glibc.sh makes, and nothing of it is visible outside
// them.

#include <cstdlib>
#include <exception>
#include <new>
#include <sstream>

extern "C" {
// That there may be several threads is always right; glibc 2.32 can tell that there is but one.
char __libc_single_threaded = 0;
}

// Since GCC 9 a function of the library, before that in the header.
template std::ostringstream::basic_ostringstream();

namespace std {
// Since GCC 11.
void __throw_bad_array_new_length() { throw bad_array_new_length(); }
}  // namespace std

namespace __cxxabiv1 {
// The library does not export it; its object with the counts of exceptions calls it.
[[noreturn]] void __terminate(std::terminate_handler handler) noexcept {
  handler();
  std::abort();
}
}  // namespace __cxxabiv1
