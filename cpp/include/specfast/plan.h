/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans, workspaces, and the computation of whole signals.
 *
 * A plan holds everything derived from a configuration and never changes. A workspace holds scratch
 * memory for one call at a time. A batch describes the arrays of one call.
 *
 * Usage, for one signal of `num_samples` floats, frame after frame into `output`:
 *
 *     specfast_plan* plan;
 *     specfast_workspace* workspace;
 *     if (specfast_plan_create(&config, &plan) != SPECFAST_OK) return 1;
 *     if (specfast_workspace_create(plan, 0, &workspace) != SPECFAST_OK) return 1;
 *     specfast_batch batch = {0};
 *     batch.struct_size = sizeof(batch);
 *     batch.input = samples;
 *     batch.in_dtype = SPECFAST_FLOAT32;
 *     batch.num_batches = batch.num_channels = 1;
 *     batch.num_samples = num_samples;
 *     batch.in_sample_stride = 1;
 *     batch.output = output;
 *     batch.out_frame_stride = specfast_plan_num_rows(plan);
 *     batch.out_row_stride = 1;
 *     if (specfast_execute(plan, workspace, &batch) != SPECFAST_OK) return 1;
 *     specfast_workspace_destroy(workspace);
 *     specfast_plan_destroy(plan);
 *
 * `output` has room for specfast_plan_num_frames(plan, num_samples) frames.
 */
#ifndef SPECFAST_PLAN_H
#define SPECFAST_PLAN_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Plans -------------------------------------------------------------------------------------
 */

/* Thread: a plan may be shared by any number of threads. */
typedef struct specfast_plan specfast_plan;

/* Kernels in place of window and transform, as keras.layers.STFTSpectrogram trains them: bin k of a
 * frame x is sum_n x[n] * (real_kernel[n][k] + i imag_kernel[n][k]). Any value is taken; NaN and
 * infinity propagate to the output.
 *
 * Where no value is farther than Keras' rounding from the analytic one (specfast_analytic_weights),
 * the FFT computes instead: rounding * (max |window| + |window[n]| * (8 + 2 angle)) with the scaled
 * window and angle = 2 pi n k / ((bins - 1) * 2); for a rounding beyond 1e-4 (half precision)
 * rounding * max |window|. */
typedef struct specfast_weights {
  /* sizeof(specfast_weights) */
  size_t struct_size;
  /* specfast_dtype of the kernels: FLOAT32 or FLOAT64. */
  int32_t dtype;
  /* Machine epsilon of the type in which the kernels were computed, 0 to 1: 2^-23 for float32. */
  double rounding;
  /* [frame_length][bins] each, contiguous and aligned to its element, with
   * bins = fft_length / 2 + 1. Modes REAL and IMAG have one kernel, and the other must be NULL. */
  const void* real_kernel;
  const void* imag_kernel;
} specfast_weights;

/* Checks `config` and derives a plan from it.
 * Errors: *plan is NULL on failure. Allocates. */
SPECFAST_API specfast_status specfast_plan_create(const specfast_config* config,
                                                  specfast_plan** plan);

/* Does the same with given kernels, which are copied. Not for mode MEL. */
SPECFAST_API specfast_status specfast_plan_create_with_weights(const specfast_config* config,
                                                               const specfast_weights* weights,
                                                               specfast_plan** plan);

/* Frees a plan; NULL is allowed. No call may still be using it, nor a workspace or stream made for
 * it. */
SPECFAST_API void specfast_plan_destroy(specfast_plan* plan);

/* Returns 1 if the plan computes by FFT, 0 if it multiplies by given kernels, and for NULL. */
SPECFAST_API int32_t specfast_plan_is_analytic(const specfast_plan* plan);

/* Returns the rows of one output frame: bins, twice the bins (mode STFT), or of mode MEL the bands
 * behind the energy if there is one, or the cepstra; derivatives are as many again for each order.
 * 0 for NULL. */
SPECFAST_API int64_t specfast_plan_num_rows(const specfast_plan* plan);

/* Returns the frames that a signal of num_samples samples gives; 0 for NULL, for a negative number
 * and where no frame fits. */
SPECFAST_API int64_t specfast_plan_num_frames(const specfast_plan* plan, int64_t num_samples);

/* ---- Workspaces --------------------------------------------------------------------------------
 */

/* Thread: used by one call at a time. */
typedef struct specfast_workspace specfast_workspace;

/* Makes scratch memory for calls on up to num_threads threads; 0 means specfast_num_threads(). Its
 * size depends on the plan and the threads, not on the signals; a number of threads beyond what
 * this machine could use is lowered.
 * Errors: *workspace is NULL on failure. Allocates. */
SPECFAST_API specfast_status specfast_workspace_create(const specfast_plan* plan,
                                                       int32_t num_threads,
                                                       specfast_workspace** workspace);

/* A caller's own way onto threads, such as a thread pool: calls task(argument, i) once for each i
 * from 0 to num_tasks - 1, in any order, one after the other or at the same time, on any threads,
 * and returns when all these calls have returned. Tasks neither wait for each other nor throw. */
typedef void (*specfast_task)(void* argument, int32_t index);
typedef void (*specfast_runner)(void* context, int32_t num_tasks, specfast_task task,
                                void* argument);

/* As specfast_workspace_create, for calls that share their work among at most num_threads tasks of
 * `runner`, 1 to 4096, each of which has its own scratch memory. Uses no OpenMP, and works in a
 * build without it. Results are those of any other workspace, bit for bit. A call with little work
 * does not use the runner. Keeps `runner` and `context` until the workspace is destroyed.
 *
 * A call gives SPECFAST_E_INVALID_ARGUMENT where its runner returned and work was left undone; what
 * it was to write is undefined then. Tasks use the memory of the call that gave them to the runner:
 * to begin a task after the runner has returned, or to return while one is still running, is
 * undefined behaviour and no failure that the library can report. */
SPECFAST_API specfast_status specfast_workspace_create_with_runner(const specfast_plan* plan,
                                                                   int32_t num_threads,
                                                                   specfast_runner runner,
                                                                   void* context,
                                                                   specfast_workspace** workspace);

/* Frees a workspace; NULL is allowed. No call may still be using it. */
SPECFAST_API void specfast_workspace_destroy(specfast_workspace* workspace);

/* ---- Whole signals -----------------------------------------------------------------------------
 */

/* The arrays of one call. Strides are in elements and may be negative or, for the input, zero.
 * Output elements must not overlap each other or the input. */
typedef struct specfast_batch {
  /* sizeof(specfast_batch) */
  size_t struct_size;
  /* Element (b, c, s) is input[b * in_batch_stride + c * in_channel_stride + s * in_sample_stride].
   * Aligned to its element and only read; may be NULL when there is nothing to read. */
  const void* input;
  /* specfast_dtype of the input; values are converted to the plan's dtype. */
  int32_t in_dtype;
  /* They are then multiplied by this number, in the plan's dtype: 1.0 / 32768 for 16-bit PCM in
   * [-1, 1). 0: they are taken as they are, int16 too. */
  double in_scale;
  int64_t num_batches, num_channels, num_samples;
  int64_t in_batch_stride, in_channel_stride, in_sample_stride;
  /* Element (b, c, frame, row) is
   * output[b * out_batch_stride + c * out_channel_stride + frame * out_frame_stride +
   *        row * out_row_stride].
   * Of the plan's dtype and aligned to it. */
  void* output;
  int64_t out_batch_stride, out_channel_stride, out_frame_stride, out_row_stride;
  /* Frames of each signal in the output: where it has fewer, pad_value stands behind them, and
   * where it has more, its last ones are left out. 0: those that num_samples samples give. */
  int64_t num_frames;
  /* [num_batches * num_channels], or NULL: how many samples each signal has, 0 to num_samples. What
   * lies behind them is not read, and every signal gives what it gives alone. */
  const int64_t* lengths;
  /* [num_batches * num_channels], or NULL: where each signal begins, aligned to its element, in the
   * place of `input` and the strides of batches and channels; NULL for a signal without samples. */
  const void* const* starts;
} specfast_batch;

/* Computes every frame of every signal of the batch, on as many threads as the workspace has where
 * the work is worth it. The result does not depend on the number of threads.
 *
 * Errors: on failure nothing was written, except on SPECFAST_E_INTERNAL, SPECFAST_E_OUT_OF_MEMORY
 * and SPECFAST_E_INTERRUPTED, and by a runner that left work undone.
 *
 * Thread: a plan may be shared, a workspace may not.
 *
 * Allocates: with top_db, PCEN, normalization and derivatives, and what OpenMP needs for its
 * threads (GNU OpenMP ends the process when it cannot start one). */
SPECFAST_API specfast_status specfast_execute(const specfast_plan* plan,
                                              specfast_workspace* workspace,
                                              const specfast_batch* batch);

#ifdef __cplusplus
}
#endif
#endif
