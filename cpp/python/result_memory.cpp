// SPDX-License-Identifier: BSD-3-Clause
#include "python/result_memory.h"

#include <pybind11/gil_safe_call_once.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#if defined(__APPLE__)
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace specfast_python {

// Before 3.13 the headers of Python declare these for C alone.
extern "C" {
PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned domain, std::uintptr_t block, std::size_t size);
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned domain, std::uintptr_t block);
}

namespace {

// Smaller results come from NumPy, thus from the C library's heap, which keeps pages by itself.
constexpr std::size_t kSmallestKept = std::size_t(4) << 20;
constexpr std::size_t kLargestKept = std::size_t(62) << 20;
// From here on results begin with a huge page and own the last one whole. Memory from the heap
// begins anywhere, and either end then comes as hundreds of small pages.
constexpr std::size_t kSmallestAligned = std::size_t(32) << 20;
constexpr std::size_t kHugePageBytes = std::size_t(2) << 20;
constexpr std::size_t kPageBytes = 4096;
constexpr unsigned kTraceDomain = 389047;  // numpy.lib.tracemalloc_domain

// The block of the last result that is gone, or null. Not released at exit, when there is no
// interpreter any more.
std::atomic<void*> spare_block{nullptr};

std::size_t usable_bytes(void* block) {
#if defined(__APPLE__)
  return malloc_size(block);
#elif defined(_WIN32)
  return _msize(block);
#else
  return malloc_usable_size(block);
#endif
}

// What NumPy does for its own memory, with the variable that forbids it.
void ask_for_huge_pages([[maybe_unused]] void* block, [[maybe_unused]] std::size_t num_bytes) {
#if defined(__linux__)
  const char* const allowed = std::getenv("NUMPY_MADVISE_HUGEPAGE");
  if (allowed && std::strcmp(allowed, "0") == 0) return;
  const std::size_t into_page = reinterpret_cast<std::uintptr_t>(block) % kPageBytes;
  const std::size_t skipped = into_page ? kPageBytes - into_page : 0;
  madvise(static_cast<char*>(block) + skipped, num_bytes - skipped, MADV_HUGEPAGE);
#endif
}

// Every block can be passed to free and realloc.
void* new_block(std::size_t num_bytes) {
  void* block = nullptr;
#if !defined(_WIN32)
  if (num_bytes >= kSmallestAligned) {
    num_bytes = (num_bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
    if (posix_memalign(&block, kHugePageBytes, num_bytes) != 0) return nullptr;
  }
#endif
  if (!block) block = std::malloc(num_bytes);
  if (block && num_bytes >= kSmallestKept) ask_for_huge_pages(block, num_bytes);
  return block;
}

void* take_block(void*, std::size_t num_bytes) {
  if (void* const spare = spare_block.exchange(nullptr)) {
    PyTraceMalloc_Untrack(kTraceDomain, reinterpret_cast<std::uintptr_t>(spare));
    const std::size_t size = usable_bytes(spare);
    // Not a much larger one: it would be held as long as the result, which looks smaller.
    if (size >= num_bytes && size - num_bytes <= num_bytes / 8) return spare;
    std::free(spare);  // before there is a new one
  }
  return new_block(num_bytes);
}

void give_back(void*, void* block, std::size_t num_bytes) {
  // A result that was resized has become any size.
  if (num_bytes < kSmallestKept || num_bytes > kLargestKept) {
    std::free(block);
    return;
  }
  PyTraceMalloc_Track(kTraceDomain, reinterpret_cast<std::uintptr_t>(block), usable_bytes(block));
  if (void* const older = spare_block.exchange(block)) {
    PyTraceMalloc_Untrack(kTraceDomain, reinterpret_cast<std::uintptr_t>(older));
    std::free(older);
  }
}

void* take_zeros(void*, std::size_t count, std::size_t size) { return std::calloc(count, size); }

void* resize_block(void*, void* block, std::size_t num_bytes) {
  return std::realloc(block, num_bytes);
}

// PyDataMem_Handler of NumPy >= 1.22 (NEP 49): where an array gets its memory and leaves it.
struct MemoryHandler {
  char name[127];
  std::uint8_t version;
  void* context;
  void* (*allocate)(void*, std::size_t);
  void* (*allocate_zeros)(void*, std::size_t, std::size_t);
  void* (*reallocate)(void*, void*, std::size_t);
  void (*release)(void*, void*, std::size_t);
};

MemoryHandler results_handler = {"specfast results", 1,        nullptr, take_block, take_zeros,
                                 resize_block,       give_back};

// The functions of NumPy's C API that choose the handler of new arrays, by their fixed places.
class Handlers {
 public:
  static const Handlers& get() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Handlers> handlers;
    return handlers.call_once_and_store_result([] { return Handlers(); }).get_stored();
  }

  // Whether new arrays get NumPy's own memory: another handler is the user's choice.
  bool is_default() const {
    const auto current = py::reinterpret_steal<py::object>(get_());
    if (!current) throw py::error_already_set();
    return current.ptr() == *default_;
  }

  py::object exchange(const py::object& handler) const {
    auto previous = py::reinterpret_steal<py::object>(set_(handler.ptr()));
    if (!previous) throw py::error_already_set();
    return previous;
  }

  const py::object& of_results() const { return of_results_; }

 private:
  Handlers() : of_results_(py::capsule(&results_handler, "mem_handler")) {
    const py::object table =
        py::detail::import_numpy_core_submodule("multiarray").attr("_ARRAY_API");
    void** const api = static_cast<void**>(PyCapsule_GetPointer(table.ptr(), nullptr));
    if (!api) throw py::error_already_set();
    set_ = reinterpret_cast<PyObject* (*)(PyObject*)>(api[304]);
    get_ = reinterpret_cast<PyObject* (*)()>(api[305]);
    default_ = static_cast<PyObject**>(api[306]);
  }

  PyObject* (*set_)(PyObject*);
  PyObject* (*get_)();
  PyObject** default_;
  py::object of_results_;
};

}  // namespace

py::array new_result(const py::dtype& dtype, const Shape& shape) {
  std::size_t num_bytes = std::size_t(dtype.itemsize());
  for (const py::ssize_t extent : shape) num_bytes *= std::size_t(extent);
  if (num_bytes < kSmallestKept) return py::array(dtype, shape);
  const Handlers& handlers = Handlers::get();
  if (!handlers.is_default()) return py::array(dtype, shape);
  struct Exchanged {
    const Handlers& handlers;
    py::object previous;
    ~Exchanged() {
      try {
        handlers.exchange(previous);
      } catch (py::error_already_set& error) {
        error.discard_as_unraisable("specfast");
      }
    }
  } exchanged{handlers, handlers.exchange(handlers.of_results())};
  return py::array(dtype, shape);
}

}  // namespace specfast_python
