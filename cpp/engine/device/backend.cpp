// SPDX-License-Identifier: BSD-3-Clause
#include "engine/device/backend.h"

#include <mutex>
#include <string>

#include "engine/base/error.h"
#include "engine/base/system.h"

namespace specfast::engine {
namespace {

struct Loaded {
  std::mutex mutex;
  std::string path;
  const Backend* functions = nullptr;
  int64_t process = 0;
};

Loaded& loaded() {
  static Loaded* const one = new Loaded;  // never destroyed: calls may outlive static objects
  return *one;
}

[[noreturn]] void refuse(specfast_status status, const std::string& message) {
  throw Error(status, message);
}

const Backend* functions_of(const std::string& path) {
  std::string reason;
  void* const library = load_library(path, reason);
  if (!library) {
    refuse(SPECFAST_E_UNAVAILABLE_DEVICE, "the library for devices cannot be loaded: " + reason);
  }
  const auto function =
      reinterpret_cast<BackendFunction>(find_export(library, kBackendSymbol, reason));
  if (!function) {
    refuse(SPECFAST_E_UNAVAILABLE_DEVICE, path + " is no backend: " + reason);
  }
  const Backend* const functions = function();
  if (functions->version != kBackendVersion) {
    refuse(SPECFAST_E_UNAVAILABLE_DEVICE,
           path + " must have backend version " + std::to_string(kBackendVersion) +
               ", received version " + std::to_string(functions->version) +
               ": install the release that belongs to this one");
  }
  return functions;
}

}  // namespace

void load_backend(const char* path) {
  const std::string wanted = path ? path : library_file("specfast_cuda");
  Loaded& now = loaded();
  const std::lock_guard<std::mutex> lock(now.mutex);
  if (now.functions && now.path == wanted) return;
  if (now.functions) {
    refuse(SPECFAST_E_OUT_OF_ORDER,
           "path must stay " + now.path + ", which is loaded already, received path=" + wanted);
  }
  now.functions = functions_of(wanted);
  now.path = wanted;
  now.process = process_number();
}

const Backend& backend() {
  Loaded& now = loaded();
  const std::lock_guard<std::mutex> lock(now.mutex);
  if (!now.functions) {
    refuse(SPECFAST_E_UNAVAILABLE_DEVICE, "no backend is loaded: call specfast_load_backend first");
  }
  if (now.process != process_number()) {
    refuse(SPECFAST_E_UNAVAILABLE_DEVICE,
           "a forked process cannot use the GPU that its parent has opened: start processes with "
           "spawn, or first use the GPU in the child");
  }
  return *now.functions;
}

bool has_backend() {
  Loaded& now = loaded();
  const std::lock_guard<std::mutex> lock(now.mutex);
  return now.functions && now.process == process_number();
}

void throw_failure(const BackendFailure& failure) {
  throw Error(specfast_status(failure.status), failure.message);
}

}  // namespace specfast::engine
