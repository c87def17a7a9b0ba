// SPDX-License-Identifier: BSD-3-Clause
#include "engine/base/system.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#if defined(_WIN32)
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace specfast::engine {
namespace {

#if defined(_WIN32)

// Empty, which names no file, where the text is longer than any path.
std::wstring utf16(const std::string& text) {
  constexpr std::size_t kLongest = 4 << 15;
  if (text.size() > kLongest) return {};
  const int size = int(text.size());
  std::wstring wide(text.size(), L'\0');
  wide.resize(std::size_t(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), size)));
  return wide;
}

std::string last_reason() { return "Windows error " + std::to_string(GetLastError()); }

#else

std::string last_reason() {
  const char* const reason = dlerror();
  return reason ? reason : "unknown reason";
}

#endif

}  // namespace

#if defined(_WIN32)

std::string library_file(const std::string& name) { return name + "-" SPECFAST_SO_VERSION ".dll"; }

void* load_library(const std::string& path, std::string& reason) {
  std::wstring file = utf16(path);
  DWORD places = LOAD_LIBRARY_SEARCH_DEFAULT_DIRS;
  if (path.find_first_of("/\\") != std::string::npos) {
    // Its own neighbours are found only beside an absolute path with backslashes.
    wchar_t whole[1 << 15];
    const DWORD length = GetFullPathNameW(file.c_str(), DWORD(std::size(whole)), whole, nullptr);
    if (length > 0 && length < std::size(whole)) file.assign(whole, length);
    places |= LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR;
  }
  void* const library = LoadLibraryExW(file.c_str(), nullptr, places);
  if (!library) reason = path + ": " + last_reason();
  return library;
}

void* find_export(void* library, const char* name, std::string& reason) {
  const FARPROC found = GetProcAddress(static_cast<HMODULE>(library), name);
  if (!found) reason = last_reason();
  return reinterpret_cast<void*>(found);
}

int64_t process_number() { return GetCurrentProcessId(); }

int processors_by_affinity() {
  DWORD_PTR mine, all;
  int count = 0;
  // 0 for a process in several groups of processors.
  if (GetProcessAffinityMask(GetCurrentProcess(), &mine, &all)) {
    for (; mine != 0; mine &= mine - 1) ++count;
  }
  return count;
}

#else

std::string library_file(const std::string& name) {
  return "lib" + name + ".so." SPECFAST_SO_VERSION;
}

void* load_library(const std::string& path, std::string& reason) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) reason = last_reason();
  return library;
}

void* find_export(void* library, const char* name, std::string& reason) {
  void* const found = dlsym(library, name);
  if (!found) reason = last_reason();
  return found;
}

int64_t process_number() { return getpid(); }

int processors_by_affinity() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
  return 0;
}

#endif

int processors_by_quota() {
  constexpr int kUnlimited = 1 << 20;
#if defined(__linux__)
  double quota = -1, period = 0;
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string first;
  if (v2 >> first >> period) {
    if (first == "max") return kUnlimited;
    quota = std::strtod(first.c_str(), nullptr);
  } else {
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
  }
  if (quota > 0 && period > 0) return std::max(1, int(std::ceil(quota / period)));
#endif
  return kUnlimited;
}

}  // namespace specfast::engine
