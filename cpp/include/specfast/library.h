/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The library as a whole: its number of threads, and how it was built. Functions may be called by
 * any number of threads at once.
 *
 * Usage:
 *
 *     specfast_build_info info;
 *     info.struct_size = sizeof(info);
 *     if (specfast_get_build_info(&info) != SPECFAST_OK) return 1;
 *     printf("specfast %s, %s\n", info.version, info.isa);
 */
#ifndef SPECFAST_LIBRARY_H
#define SPECFAST_LIBRARY_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns how many threads a new workspace gets when asked for 0: the number set below; else
 * SPECFAST_NUM_THREADS; else OMP_NUM_THREADS; else the processors that affinity and the cgroup
 * quota allow; 1 in a build without OpenMP.
 * Errors: 1 where there is no memory to find that out; specfast_last_status() says so. Allocates at
 * the first call. */
SPECFAST_API int32_t specfast_num_threads(void);

/* Sets that number, 1 to 4096, or restores the default with 0. Without effect in a build without
 * OpenMP. */
SPECFAST_API specfast_status specfast_set_num_threads(int32_t num_threads);

/* Returns whether a call shall end: 0 lets it go on. */
typedef int32_t (*specfast_interrupt)(void* context);

/* Sets a function that long calls of this thread ask, at most every 50 ms, whether to go on; NULL,
 * as at first: none. A call is that of specfast_execute, specfast_execute_keep, specfast_pull_back,
 * specfast_stream_push or specfast_stream_flush. The function runs on this thread, inside the call,
 * and must not call the same workspace or stream. Where it returns another number than 0, the call
 * ends within milliseconds with SPECFAST_E_INTERRUPTED: what it was to write is undefined then, and
 * a stream is as after specfast_stream_reset. A tile of frames is computed to its end, which takes
 * longest with trained kernels. With a runner, this thread asks only while the runner lets it
 * work. */
SPECFAST_API void specfast_set_interrupt(specfast_interrupt interrupt, void* context);

/* The strings live as long as the library. */
typedef struct specfast_build_info {
  /* sizeof(specfast_build_info), set by the caller. */
  size_t struct_size;
  const char* version;
  /* The kernels in use, chosen once by CPUID or the environment variable SPECFAST_ISA. */
  const char* isa;
  /* Separated by commas, best first. */
  const char* available_isas;
  /* Frames computed together. */
  int32_t lanes_float32;
  int32_t lanes_float64;
  /* 0 or 1 */
  int32_t openmp;
  const char* compiler;
  /* Revision, or "installed, sha256 ...". */
  const char* pocketfft;
} specfast_build_info;

/* Fills `info`, whose struct_size the caller has set.
 * Errors: SPECFAST_E_UNAVAILABLE_ISA. */
SPECFAST_API specfast_status specfast_get_build_info(specfast_build_info* info);

#ifdef __cplusplus
}
#endif
#endif
