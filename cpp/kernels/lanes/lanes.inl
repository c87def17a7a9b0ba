// SPDX-License-Identifier: BSD-3-Clause
// Chooses the lane type: a vector of frames on a CPU, one frame in a thread of a GPU.
#pragma once

#if defined(SPECFAST_ISA_CUDA)
#include "kernels/lanes/scalar.inl"
#else
#include "kernels/lanes/simd.inl"
#endif
