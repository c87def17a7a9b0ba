// SPDX-License-Identifier: BSD-3-Clause
#define SPECFAST_ISA_NAME neon
#define SPECFAST_ISA_NEON
#define SPECFAST_VECTOR_BYTES 16
#include "kernels/tile.inl"
