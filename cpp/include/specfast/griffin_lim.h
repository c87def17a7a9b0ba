/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Griffin-Lim: signals from the magnitudes of their frames (D. Griffin, J. Lim, Signal Estimation
 * from Modified Short-Time Fourier Transform, 1984), in the fast variant with momentum (N.
 * Perraudin, P. Balazs, P. Sondergaard, A Fast Griffin-Lim Algorithm, 2013).
 *
 * Phases begin at random, from a seed. Each iteration transforms back, forward again, and gives the
 * magnitudes the phases of
 *
 *   rebuilt - momentum / (1 + momentum) * (rebuilt of the iteration before).
 *
 * Usage, for magnitudes of one signal, frame after frame:
 *
 *     specfast_griffin_lim* griffin_lim;
 *     specfast_griffin_lim_options options = {sizeof(options), 32, 0.99, 0};
 *     if (specfast_griffin_lim_create(&config, &options, &griffin_lim) != SPECFAST_OK) return 1;
 *     specfast_magnitudes arrays = {0};
 *     arrays.struct_size = sizeof(arrays);
 *     arrays.magnitudes = magnitudes;
 *     arrays.num_batches = arrays.num_channels = 1;
 *     arrays.num_frames = num_frames;
 *     arrays.frame_stride = num_bins;
 *     arrays.bin_stride = 1;
 *     arrays.signal = samples;
 *     arrays.num_samples =
 *         specfast_inverse_num_samples(specfast_griffin_lim_inverse(griffin_lim), num_frames);
 *     arrays.signal_sample_stride = 1;
 *     if (specfast_griffin_lim_execute(griffin_lim, 0, &arrays) != SPECFAST_OK) return 1;
 */
#ifndef SPECFAST_GRIFFIN_LIM_H
#define SPECFAST_GRIFFIN_LIM_H

#include "inverse.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Thread: may be shared. */
typedef struct specfast_griffin_lim specfast_griffin_lim;

typedef struct specfast_griffin_lim_options {
  /* sizeof(specfast_griffin_lim_options) */
  size_t struct_size;
  /* At least 1. */
  int64_t num_iterations;
  /* 0 to 1; 0 is the algorithm of 1984. */
  double momentum;
  /* Decides on the phases at the beginning, which are the same for all signals. */
  uint64_t seed;
} specfast_griffin_lim_options;

/* Checks `config`, whose mode must be STFT: it describes the transform of which the magnitudes are,
 * and its pad_mode what the forward transforms put around a signal.
 * Errors: as specfast_inverse_create. *griffin_lim is NULL on failure. Allocates. */
SPECFAST_API specfast_status specfast_griffin_lim_create(
    const specfast_config* config, const specfast_griffin_lim_options* options,
    specfast_griffin_lim** griffin_lim);

/* Frees it; NULL is allowed. No call may still be using it. */
SPECFAST_API void specfast_griffin_lim_destroy(specfast_griffin_lim* griffin_lim);

/* Returns its inverse transform, which says how many samples frames stand for. It lives as long as
 * `griffin_lim`. NULL for NULL. */
SPECFAST_API const specfast_inverse* specfast_griffin_lim_inverse(
    const specfast_griffin_lim* griffin_lim);

/* The arrays of one call, of the dtype of the configuration and aligned to it. Strides are in
 * elements and may be negative or, for the magnitudes, zero. Samples must not overlap each other or
 * the magnitudes. */
typedef struct specfast_magnitudes {
  /* sizeof(specfast_magnitudes) */
  size_t struct_size;
  /* The bin (b, c, frame, k) is magnitudes[b * batch_stride + c * channel_stride +
   * frame * frame_stride + k * bin_stride], k from 0 to fft_length / 2. Only read. Negative ones
   * turn a phase around, and one that is not finite makes all samples of its signal NaN. */
  const void* magnitudes;
  int64_t num_batches, num_channels, num_frames;
  int64_t batch_stride, channel_stride, frame_stride, bin_stride;
  /* Written: sample (b, c, s) is signal[b * signal_batch_stride + c * signal_channel_stride +
   * s * signal_sample_stride]. */
  void* signal;
  /* As for specfast_inverse_execute. */
  int64_t num_samples;
  int64_t signal_batch_stride, signal_channel_stride, signal_sample_stride;
} specfast_magnitudes;

/* Computes the samples of every signal on up to num_threads threads, or, where it is 0, on as many
 * as calls have by default. The result does not depend on the number of threads or on other
 * signals. Allocates about seven values for each bin of one signal.
 *
 * Errors: as specfast_inverse_execute; SPECFAST_E_OUT_OF_MEMORY, on which nothing was written. On
 * SPECFAST_E_INTERNAL and SPECFAST_E_INTERRUPTED some signals may have been.
 *
 * Thread: may be called by several at once. */
SPECFAST_API specfast_status specfast_griffin_lim_execute(const specfast_griffin_lim* griffin_lim,
                                                          int32_t num_threads,
                                                          const specfast_magnitudes* arrays);

#ifdef __cplusplus
}
#endif
#endif
