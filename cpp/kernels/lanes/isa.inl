// SPDX-License-Identifier: BSD-3-Clause
// Declares the instruction set that is compiled: its intrinsics, and the namespace of its own. The
// ISA file has defined SPECFAST_ISA_NAME, SPECFAST_VECTOR_BYTES and the ISA family.
//
// Everything lives in a namespace of this ISA, pocketfft included, because the linker may merge
// equal inline functions of different objects, and a merged copy can hold instructions that an
// older processor lacks.
#pragma once

#include "seam/kernel_table.h"

#if defined(SPECFAST_ISA_X86)
#include <immintrin.h>
#elif defined(SPECFAST_ISA_NEON)
#include <arm_neon.h>
#endif

#define SPECFAST_JOIN_(a, b) a##b
#define SPECFAST_JOIN(a, b) SPECFAST_JOIN_(a, b)
#define SPECFAST_STRING_(a) #a
#define SPECFAST_STRING(a) SPECFAST_STRING_(a)
#define SPECFAST_NAMESPACE SPECFAST_JOIN(specfast_, SPECFAST_ISA_NAME)
#define SPECFAST_POCKETFFT SPECFAST_JOIN(pocketfft_, SPECFAST_ISA_NAME)
#if defined(__CUDACC__)
#define SPECFAST_INLINE __device__ __forceinline__
#define SPECFAST_NOINLINE __device__ __noinline__
#define SPECFAST_INLINE_LAMBDA
#define SPECFAST_HOST_DEVICE __host__ __device__
#else
#define SPECFAST_INLINE inline __attribute__((always_inline))
#define SPECFAST_NOINLINE __attribute__((noinline))
#define SPECFAST_INLINE_LAMBDA __attribute__((always_inline))
#define SPECFAST_HOST_DEVICE
#endif

namespace SPECFAST_NAMESPACE {
namespace {

using namespace specfast::engine;

}  // namespace
}  // namespace SPECFAST_NAMESPACE
