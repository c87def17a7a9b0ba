// SPDX-License-Identifier: BSD-3-Clause
#define SPECFAST_ISA_NAME avx2
#define SPECFAST_ISA_X86
#define SPECFAST_VECTOR_BYTES 32
#include "kernels/tile.inl"
