// SPDX-License-Identifier: BSD-3-Clause
// Chooses the kernels, once, by what the processor and the operating system support.
#pragma once

#include <string>

#include "seam/kernel_table.h"

namespace specfast::engine {

// The table named by the environment variable SPECFAST_ISA, else the best one available. Throws
// Error(SPECFAST_E_UNAVAILABLE_ISA).
const KernelTable& kernels();

// Names of the tables that can run here, best first, separated by commas.
const std::string& available_isas();

}  // namespace specfast::engine
