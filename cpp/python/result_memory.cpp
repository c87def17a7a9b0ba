// SPDX-License-Identifier: BSD-3-Clause
#include "result_memory.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace specfast_python {
namespace {

using Block = py::array_t<std::uint8_t>;

// Smaller results come from the C library's heap, which keeps pages by itself.
constexpr std::size_t kSmallestKept = std::size_t(4) << 20;
constexpr std::size_t kLargestKept = std::size_t(64) << 20;
constexpr std::size_t kHugePageBytes = std::size_t(2) << 20;

// The block that is kept, or null. Guarded by the GIL; not released at exit, when the interpreter
// is gone.
PyObject* kept = nullptr;

void give_back(void* memory) {
  Block block = py::reinterpret_steal<Block>(static_cast<PyObject*>(memory));
  if (std::size_t(block.size()) > kLargestKept + kHugePageBytes) return;
  Py_XDECREF(std::exchange(kept, block.release().ptr()));
}

// Room for num_bytes from the first huge page on. NumPy asks the system for huge pages, but the
// memory that it gets begins anywhere, and either end would then come as hundreds of small pages;
// what lies outside the part used is never touched.
Block take_block(std::size_t num_bytes) {
  const std::size_t whole = (num_bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes;
  const auto wanted = py::ssize_t(whole + kHugePageBytes);
  Block block = py::reinterpret_steal<Block>(std::exchange(kept, nullptr));
  // Not one of twice the size: it would be held as long as the result.
  if (block && wanted <= block.size() && block.size() / 2 <= wanted) return block;
  block = Block();  // given back before the new one is taken
  return Block(wanted);
}

}  // namespace

py::array new_result(const py::dtype& dtype, const Shape& shape) {
  std::size_t num_bytes = std::size_t(dtype.itemsize());
  for (const py::ssize_t extent : shape) num_bytes *= std::size_t(extent);
  if (num_bytes < kSmallestKept) return py::array(dtype, shape);
  Block block = take_block(num_bytes);
  std::uint8_t* const memory = block.mutable_data();
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::size_t offset = (kHugePageBytes - address % kHugePageBytes) % kHugePageBytes;
  const py::capsule owner(static_cast<const void*>(block.ptr()), give_back);
  block.release();
  return py::array(dtype, shape, memory + offset, owner);
}

}  // namespace specfast_python
