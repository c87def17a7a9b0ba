// SPDX-License-Identifier: BSD-3-Clause
#include "python/result_memory.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace specfast_python {
namespace {

using Bytes = py::array_t<std::uint8_t>;

// Smaller results come from the C library's heap, which keeps pages by itself.
constexpr std::size_t kSmallestKept = std::size_t(4) << 20;
constexpr std::size_t kLargestKept = std::size_t(64) << 20;
// From here on results begin with a huge page. NumPy asks the system for huge pages, but the memory
// that it gets begins anywhere, and either end then comes as hundreds of small pages.
constexpr std::size_t kSmallestAligned = std::size_t(32) << 20;
constexpr std::size_t kHugePageBytes = std::size_t(2) << 20;

// The block of the last result that is gone, or null. Not released at exit, when there is no
// interpreter any more.
std::atomic<PyObject*> spare_block{nullptr};

void give_back(void* memory) {
  Bytes block = py::reinterpret_steal<Bytes>(static_cast<PyObject*>(memory));
  if (std::size_t(block.size()) > kLargestKept) return;
  Py_XDECREF(spare_block.exchange(block.release().ptr()));
}

Bytes take_block(std::size_t num_bytes) {
  {
    Bytes spare = py::reinterpret_steal<Bytes>(spare_block.exchange(nullptr));
    const std::size_t size = spare ? std::size_t(spare.size()) : 0;
    // Not a much larger one: it would be held as long as the result, which looks smaller.
    if (size >= num_bytes && size - num_bytes <= num_bytes / 8) return spare;
  }  // else given to the system before there is a new one
  return Bytes(py::ssize_t(num_bytes));
}

}  // namespace

py::array new_result(const py::dtype& dtype, const Shape& shape) {
  std::size_t num_bytes = std::size_t(dtype.itemsize());
  for (const py::ssize_t extent : shape) num_bytes *= std::size_t(extent);
  if (num_bytes < kSmallestKept) return py::array(dtype, shape);
  const bool aligned = num_bytes >= kSmallestAligned;
  // To the end of the last huge page, and as much again in front for the first to begin anywhere.
  const std::size_t last_end = (num_bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  Bytes block = take_block(aligned ? last_end + kHugePageBytes : num_bytes);
  std::uint8_t* const memory = block.mutable_data();
  const std::size_t into_page = reinterpret_cast<std::uintptr_t>(memory) % kHugePageBytes;
  const std::size_t offset = aligned && into_page ? kHugePageBytes - into_page : 0;
  const py::ssize_t size = block.size();
  const py::capsule owner(static_cast<const void*>(block.ptr()), give_back);
  block.release();
  // NumPy lets WRITEABLE be set again only where the base is an array.
  const Bytes owned(size, memory, owner);
  return py::array(dtype, shape, memory + offset, owned);
}

}  // namespace specfast_python
