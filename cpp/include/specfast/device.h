/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same computation on an NVIDIA GPU, by a library of its own that is loaded on demand.
 *
 * Usage, for a batch whose pointers are to the memory of device 0:
 *
 *     specfast_device_plan* plan;
 *     if (specfast_load_backend(NULL) != SPECFAST_OK) return 1;
 *     if (specfast_device_plan_create(&config, 0, 0, &plan) != SPECFAST_OK) return 1;
 *     if (specfast_execute_on_stream(plan, &batch, SPECFAST_FLOAT32, stream) != SPECFAST_OK)
 *       return 1;
 *     specfast_device_plan_destroy(plan);
 *
 * Results agree with those of the CPU within rounding, and are the same bits from run to run. They
 * do not depend on the batch or the place in it as far as they are this library's work: float64,
 * and lengths that are no power of two from 64 to 4096, go through NVIDIA's cuFFT, which promises
 * nothing of the kind.
 */
#ifndef SPECFAST_DEVICE_H
#define SPECFAST_DEVICE_H

#include "plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loads the library of a backend: the file `path`, or with NULL "libspecfast_cuda.so" with this
 * library's version, as the dynamic linker finds it. Another call with the same path does nothing.
 * The library stays loaded.
 *
 * Errors: SPECFAST_E_UNAVAILABLE_DEVICE where it cannot be loaded or is of another version, and
 * SPECFAST_E_OUT_OF_ORDER after another path. */
SPECFAST_API specfast_status specfast_load_backend(const char* path);

/* What a backend and a device are. */
typedef struct specfast_device_info {
  /* sizeof(specfast_device_info) */
  size_t struct_size;
  int32_t num_devices;
  /* UTF-8, ended by a zero. */
  char name[128];
  /* 10 * major + minor: 90 for compute capability 9.0. */
  int32_t compute_capability;
  int64_t memory_bytes;
  /* Versions of the driver, of the run-time library and of cuFFT, as 1000 * major + 10 * minor; 0
   * where there is none. */
  int32_t driver, runtime, cufft;
} specfast_device_info;

/* Errors: SPECFAST_E_UNAVAILABLE_DEVICE where no backend is loaded, or there is no such device. */
SPECFAST_API specfast_status specfast_get_device_info(int32_t device, specfast_device_info* info);

/* Thread: a plan may be shared by any number of threads and streams. */
typedef struct specfast_device_plan specfast_device_plan;

/* Checks `config` and derives a plan for a device from it. A call takes at most `workspace_bytes`
 * of the device's memory for frames and spectra that do not fit its kernels (more only if one frame
 * needs it), besides what cuFFT takes for itself and some bytes a frame for top_db; 0 stands for
 * 256 MiB.
 * Errors: *plan is NULL on failure. */
SPECFAST_API specfast_status specfast_device_plan_create(const specfast_config* config,
                                                         int32_t device, int64_t workspace_bytes,
                                                         specfast_device_plan** plan);

/* Frees a plan; NULL is allowed. Work that uses it must be done. */
SPECFAST_API void specfast_device_plan_destroy(specfast_device_plan* plan);

/* Puts the computation of a batch into a stream (a cudaStream_t; NULL is the legacy default stream)
 * and returns without waiting for it. Pointers of the batch are to the memory of the plan's device,
 * and in_dtype may be SPECFAST_FLOAT16 or SPECFAST_BFLOAT16 too. The output is of type `out_dtype`:
 * the plan's dtype, or with a FLOAT32 plan SPECFAST_FLOAT16 or SPECFAST_BFLOAT16, to which results
 * are rounded.
 *
 * Errors: those of specfast_execute; SPECFAST_E_UNAVAILABLE_DEVICE where the device fails, and in a
 * child of fork(). What fails on the device while the stream runs, such as a wrong pointer, is
 * reported by the device's own functions. */
SPECFAST_API specfast_status specfast_execute_on_stream(const specfast_device_plan* plan,
                                                        const specfast_batch* batch,
                                                        int32_t out_dtype, void* stream);

/* Memory of a device, for programs that have no other way to it. Both copies return when the
 * caller's memory may be used; they wait for the work in `stream` before. */
SPECFAST_API specfast_status specfast_device_allocate(int32_t device, int64_t num_bytes,
                                                      void** memory);
SPECFAST_API void specfast_device_free(int32_t device, void* memory);
SPECFAST_API specfast_status specfast_copy_to_device(int32_t device, void* to, const void* from,
                                                     int64_t num_bytes, void* stream);
SPECFAST_API specfast_status specfast_copy_to_host(int32_t device, void* to, const void* from,
                                                   int64_t num_bytes, void* stream);

#ifdef __cplusplus
}
#endif
#endif
