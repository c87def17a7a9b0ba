// SPDX-License-Identifier: BSD-3-Clause
#define SPECFAST_ISA_NAME baseline
#define SPECFAST_ISA_X86
#define SPECFAST_VECTOR_BYTES 16
#include "kernels/tile.inl"
