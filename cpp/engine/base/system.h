// SPDX-License-Identifier: BSD-3-Clause
// What differs between operating systems: libraries that are loaded on demand, processes, how many
// processors there are. (Threads and memory come from the standard library.)
#pragma once

#include <cstdint>
#include <string>

namespace specfast::engine {

// The file of a library of this version: "libNAME.so.0.1", "NAME-0.1.dll" on Windows.
std::string library_file(const std::string& name);

// Returns a handle, or null and why. The path is in UTF-8; where it names no folder, the system
// searches.
void* load_library(const std::string& path, std::string& reason);

// Returns what the library exports under this name, or null and why.
void* find_export(void* library, const char* name, std::string& reason);

// A number of this process that no child of fork() shares.
int64_t process_number();

// How many processors this process may run on; 0 where the system does not tell.
int processors_by_affinity();

// How many processors the container's quota is worth, rounded up; a large number where it has none.
int processors_by_quota();

}  // namespace specfast::engine
