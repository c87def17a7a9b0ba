// SPDX-License-Identifier: BSD-3-Clause
// Declares the lanes of a GPU: a thread has one, a plain number. Host compilers compile the same
// text, and the tests run it there.
#pragma once

#define SPECFAST_ISA_NAME cuda
#define SPECFAST_ISA_CUDA 1
// A lane of double.
#define SPECFAST_VECTOR_BYTES 8

#include "kernels/lanes/lanes.inl"
