// SPDX-License-Identifier: BSD-3-Clause
// Stands in for engine/plan/dispatch.cpp, which chooses kernels once and for all: here a program
// chooses them before each call.
#include "chosen_isa.h"

#define kernels kernels_of_this_process
#include "engine/plan/dispatch.cpp"
#undef kernels

namespace {
std::size_t chosen = 0;
}  // namespace

namespace specfast::engine {
const KernelTable& kernels() { return *available()[chosen]; }
}  // namespace specfast::engine

namespace fuzz {
std::size_t num_isas() { return specfast::engine::available().size(); }
void choose_isa(std::size_t index) { chosen = index; }
}  // namespace fuzz
