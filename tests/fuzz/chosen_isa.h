// SPDX-License-Identifier: BSD-3-Clause
// The kernels of which instruction set what follows uses.
#pragma once

#include <cstddef>

namespace fuzz {

// Those that can run here, the plainest one last.
std::size_t num_isas();
void choose_isa(std::size_t index);

}  // namespace fuzz
