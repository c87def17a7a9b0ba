/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gradients of specfast_execute (vector-Jacobian products): from the gradient of a loss with
 * respect to the output of a call, those with respect to its input and to the kernels.
 *
 * Usage, with the batch of a call of one signal and the gradient `cotangent` of its output:
 *
 *     specfast_gradient gradient = {0};
 *     gradient.struct_size = sizeof(gradient);
 *     gradient.cotangent = cotangent;
 *     gradient.cotangent_frame_stride = specfast_plan_num_rows(plan);
 *     gradient.cotangent_row_stride = 1;
 *     gradient.signal = signal_gradient;
 *     gradient.signal_sample_stride = 1;
 *     if (specfast_pull_back(plan, 0, &batch, &gradient) != SPECFAST_OK) return 1;
 */
#ifndef SPECFAST_GRADIENT_H
#define SPECFAST_GRADIENT_H

#include "plan.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The arrays of one call of specfast_pull_back, all of the plan's dtype and aligned to it. Strides
 * are in elements. No array may overlap another, nor the input. */
typedef struct specfast_gradient {
  /* sizeof(specfast_gradient) */
  size_t struct_size;
  /* Gradient of the output: element (b, c, frame, row) as in specfast_batch. Only read; strides may
   * be zero or negative. */
  const void* cotangent;
  int64_t cotangent_batch_stride, cotangent_channel_stride, cotangent_frame_stride,
      cotangent_row_stride;
  /* What specfast_execute_keep left for this plan and input, or NULL: it is recomputed. */
  const void* kept;
  /* Written: the gradient of the input, of its shape; strides may be negative. NULL: not needed. */
  void* signal;
  int64_t signal_batch_stride, signal_channel_stride, signal_sample_stride;
  /* Written: the gradients of the kernels, [frame_length][bins] and contiguous, summed over all
   * frames. NULL: not needed, or not there in this mode. */
  void* real_kernel;
  void* imag_kernel;
} specfast_gradient;

/* Computes gradients of specfast_execute(plan, ..., batch). `batch` describes the input, without
 * in_scale; its output is not used. The kernels' gradients are those at the plan's kernels, the
 * analytic ones included.
 *
 * Where there is no derivative, or none that is finite, the convention is: zero at a power below
 * the smallest normal number (square root, angle, mag_exp, and the logarithm without a floor), and
 * at and below the floors epsilon and min_power. At and below the floor that top_db makes, the
 * gradient is handed on to the maximum from which that floor hangs; several maxima share it alike.
 * So silence gives zeros. NaN in the input gives NaN in what depends on it.
 *
 * The result does not depend on the number of threads. num_threads: 0 means specfast_num_threads().
 *
 * Errors: as specfast_execute, and SPECFAST_E_INVALID_ARGUMENT for what has no gradient here: pcen;
 * delta_order; top_db with normalization, or before rows that follow the levels (cepstra, an
 * energy, gains and offsets that are not the same positive gain and the same offset for all rows);
 * num_frames, lengths and starts of the batch; an in_scale; and gradients of kernels with an
 * input_gain. Thread: a plan may be shared.
 *
 * Allocates scratch: for each thread some tiles; for the overlap of frames and their padding at
 * most a quarter of the signals and fft_length values a signal; for kernels their size and the
 * samples and spectra of at least 512 frames; with top_db or normalization an output. */
SPECFAST_API specfast_status specfast_pull_back(const specfast_plan* plan, int32_t num_threads,
                                                const specfast_batch* batch,
                                                const specfast_gradient* gradient);

/* Returns how many values of the plan's dtype specfast_execute_keep leaves for each signal of
 * num_samples samples: its spectra, about twice the output. 0 where there is nothing worth keeping:
 * plans that compute by FFT, modes REAL, IMAG and STFT; for NULL, and where no frame fits. */
SPECFAST_API int64_t specfast_plan_num_kept(const specfast_plan* plan, int64_t num_samples);

/* Does what specfast_execute does, with the same output, and also leaves in `kept` what
 * specfast_pull_back would recompute: num_batches * num_channels * specfast_plan_num_kept() values
 * of the plan's dtype, aligned to it, in an order that is the library's own, for the same plan and
 * input in the same process. `kept` must overlap neither input nor output. */
SPECFAST_API specfast_status specfast_execute_keep(const specfast_plan* plan,
                                                   specfast_workspace* workspace,
                                                   const specfast_batch* batch, void* kept);

#ifdef __cplusplus
}
#endif
#endif
