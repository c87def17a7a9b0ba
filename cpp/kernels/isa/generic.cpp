// SPDX-License-Identifier: BSD-3-Clause
#define SPECFAST_ISA_NAME generic
#define SPECFAST_ISA_GENERIC
#define SPECFAST_VECTOR_BYTES 16
#include "kernels/tile.inl"
