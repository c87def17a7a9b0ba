// SPDX-License-Identifier: BSD-3-Clause
// Memory between two pages that cannot be touched.
#pragma once

#include <cstddef>

namespace fuzz {

// Null if there is none. The alignment is a power of two, a page at most.
void* map_between_guards(std::size_t bytes, std::size_t alignment) noexcept;
// Ends the program if something was written beside the block.
void unmap(void* memory) noexcept;

}  // namespace fuzz
