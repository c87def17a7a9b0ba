/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inverse transforms: from the spectra of frames to signals.
 *
 * An inverse is made of the configuration of the transform that it inverts, mode STFT. Its signal
 * is the one whose frames come nearest to those given, which for the spectra of a signal is that
 * signal:
 *
 *   x[p] = sum over t of w[p - t hop] y_t[p - t hop]  /  sum over t of w[p - t hop]^2
 *
 * with the scaled window w and the inverse transforms y_t. The padding is taken off again.
 * Imaginary parts of the bins 0 and fft_length / 2, which a real signal does not have, are not
 * looked at.
 *
 * Samples are lost where no frame has more than 1e-10 of the largest sum of squared windows:
 * between frames, which specfast_inverse_create refuses, and at the ends of a signal with
 * SPECFAST_PADDING_VALID, where specfast_inverse_lost_samples tells how many. They become 0.
 *
 * Usage, for spectra of one signal as a plan with mode STFT writes them, frame after frame:
 *
 *     specfast_inverse* inverse;
 *     specfast_workspace* workspace;
 *     if (specfast_inverse_create(&config, NULL, &inverse) != SPECFAST_OK) return 1;
 *     if (specfast_inverse_workspace_create(inverse, 0, NULL, NULL, &workspace) != SPECFAST_OK)
 *       return 1;
 *     specfast_spectra spectra = {0};
 *     spectra.struct_size = sizeof(spectra);
 *     spectra.real = rows;
 *     spectra.imag = rows + num_bins;
 *     spectra.num_batches = spectra.num_channels = 1;
 *     spectra.num_frames = num_frames;
 *     spectra.frame_stride = 2 * num_bins;
 *     spectra.bin_stride = 1;
 *     spectra.signal = samples;
 *     spectra.num_samples = specfast_inverse_num_samples(inverse, num_frames);
 *     spectra.signal_sample_stride = 1;
 *     if (specfast_inverse_execute(inverse, workspace, &spectra) != SPECFAST_OK) return 1;
 */
#ifndef SPECFAST_INVERSE_H
#define SPECFAST_INVERSE_H

#include "plan.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Thread: may be shared. */
typedef struct specfast_inverse specfast_inverse;

/* How spectra differ from those of a plan. */
typedef struct specfast_inverse_options {
  /* sizeof(specfast_inverse_options) */
  size_t struct_size;
  /* The sample of a frame at which phases are 0: 0 for spectra of a plan, of torch and of librosa,
   * the middle of the window for those of scipy.signal.ShortTimeFFT. Below the points of the
   * transform. */
  int64_t phase_origin;
  /* 1: an odd fft_length is the number of points, as in torch, librosa and SciPy; 0: it runs as one
   * less, as in Keras. */
  int32_t keeps_odd_length;
} specfast_inverse_options;

/* Checks `config`, whose mode must be STFT, and derives its inverse. pad_mode makes no difference;
 * drop_frames and masked_frames must be 0. `options` may be NULL: all are 0.
 * Errors: SPECFAST_E_INVALID_ARGUMENT also where window and hop lose samples between frames.
 * *inverse is NULL on failure. Allocates. */
SPECFAST_API specfast_status specfast_inverse_create(const specfast_config* config,
                                                     const specfast_inverse_options* options,
                                                     specfast_inverse** inverse);

/* Frees an inverse; NULL is allowed. No call may still be using it, nor a workspace made for it. */
SPECFAST_API void specfast_inverse_destroy(specfast_inverse* inverse);

/* Makes scratch memory for calls on up to num_threads threads, as specfast_workspace_create does,
 * or, where `runner` is not NULL, as specfast_workspace_create_with_runner does. */
SPECFAST_API specfast_status specfast_inverse_workspace_create(const specfast_inverse* inverse,
                                                               int32_t num_threads,
                                                               specfast_runner runner,
                                                               void* context,
                                                               specfast_workspace** workspace);

/* Returns how many samples num_frames frames stand for where nothing is known of the signal: with
 * SPECFAST_PADDING_VALID, SIDES and CENTER those between the padding, with END and HOPS a hop for
 * each frame. -1 for SPECFAST_PADDING_SAME, where the padding in front depends on the length of the
 * signal, unless hop is 1. 0 for NULL and for numbers of frames that are not positive. */
SPECFAST_API int64_t specfast_inverse_num_samples(const specfast_inverse* inverse,
                                                  int64_t num_frames);

/* Returns the largest num_samples that specfast_inverse_execute takes: all samples that frames
 * reach. */
SPECFAST_API int64_t specfast_inverse_max_samples(const specfast_inverse* inverse,
                                                  int64_t num_frames);

/* Writes how many of num_samples samples are lost at the beginning and at the end. Between them
 * none is, unless there are fewer frames than overlap and the window is 0 inside of them. Errors:
 * as specfast_inverse_execute for num_frames and num_samples. */
SPECFAST_API specfast_status specfast_inverse_lost_samples(const specfast_inverse* inverse,
                                                           int64_t num_frames, int64_t num_samples,
                                                           int64_t* at_begin, int64_t* at_end);

/* The arrays of one call, of the dtype of the inverse and aligned to it. Strides are in elements
 * and may be negative or, for the spectra, zero. Samples must not overlap each other or the
 * spectra. */
typedef struct specfast_spectra {
  /* sizeof(specfast_spectra) */
  size_t struct_size;
  /* The bin (b, c, frame, k) has the real part
   * real[b * batch_stride + c * channel_stride + frame * frame_stride + k * bin_stride]
   * and the imaginary part at the same place of imag; k is 0 to fft_length / 2. Only read. For
   * complex numbers imag is real + 1, and bin_stride counts both parts. */
  const void* real;
  const void* imag;
  int64_t num_batches, num_channels, num_frames;
  int64_t batch_stride, channel_stride, frame_stride, bin_stride;
  /* Written: sample (b, c, s) is signal[b * signal_batch_stride + c * signal_channel_stride +
   * s * signal_sample_stride]. */
  void* signal;
  /* 0 to specfast_inverse_max_samples(num_frames); with SPECFAST_PADDING_SAME a length of which the
   * forward transform makes num_frames frames. */
  int64_t num_samples;
  int64_t signal_batch_stride, signal_channel_stride, signal_sample_stride;
} specfast_spectra;

/* Computes the samples of every signal, on as many threads as the workspace has where the work is
 * worth it. A sample depends on the frames that reach it only, which are added in their order: not
 * on the number of threads or frames, nor on other signals. A NaN makes the samples of its frame
 * NaN.
 *
 * Errors: on failure nothing was written, except on SPECFAST_E_INTERNAL and
 * SPECFAST_E_INTERRUPTED, and by a runner that left work undone.
 *
 * Thread: an inverse may be shared, a workspace may not. */
SPECFAST_API specfast_status specfast_inverse_execute(const specfast_inverse* inverse,
                                                      specfast_workspace* workspace,
                                                      const specfast_spectra* spectra);

/* ---- Gradients ---------------------------------------------------------------------------------
 */

/* The arrays of one call of specfast_inverse_pull_back, of the dtype of the inverse and aligned to
 * it. Strides are in elements. No array may overlap another. */
typedef struct specfast_inverse_gradient {
  /* sizeof(specfast_inverse_gradient) */
  size_t struct_size;
  /* The gradient of the samples of a call, element (b, c, s) as in specfast_spectra. Only read. */
  const void* cotangent;
  int64_t num_batches, num_channels, num_samples;
  int64_t cotangent_batch_stride, cotangent_channel_stride, cotangent_sample_stride;
  /* Written: the gradients of the real and of the imaginary parts, placed as in specfast_spectra.
   * Those of imaginary parts that are not looked at are 0. */
  void* real;
  void* imag;
  int64_t num_frames;
  int64_t batch_stride, channel_stride, frame_stride, bin_stride;
} specfast_inverse_gradient;

/* Computes the gradient of specfast_inverse_execute, which is linear, from that of its samples. The
 * result does not depend on the number of threads. num_threads: 0 means specfast_num_threads().
 * Errors: as specfast_inverse_execute. Thread: an inverse may be shared.
 * Allocates scratch: tiles for each thread, the samples and the spectra of one signal. */
SPECFAST_API specfast_status specfast_inverse_pull_back(const specfast_inverse* inverse,
                                                        int32_t num_threads,
                                                        const specfast_inverse_gradient* gradient);

/* ---- Streams -----------------------------------------------------------------------------------
 *
 * A stream takes the frames of a signal as they come, and gives its samples as soon as no later
 * frame changes them. All samples of all pushes and of the flush together are, bit for bit, what
 * specfast_inverse_execute computes of all frames, however these were cut. After n frames there
 * have been n * hop - specfast_inverse_stream_delay_samples() samples, if that is not negative.
 *
 * Real time: calls of push, flush and reset that succeed make no allocation, no lock, no system
 * call and throw nothing, and their work is bounded by the number of frames. */

/* Thread: one call at a time with one stream; a second one is refused with SPECFAST_E_BUSY. Not so
 * create and destroy. The inverse may be shared and must outlive the stream. */
typedef struct specfast_inverse_stream specfast_inverse_stream;

/* Makes a stream at the beginning of a signal of num_channels channels, 1 to 65536. num_samples is
 * the length that it will have, as in specfast_spectra, or -1: that of
 * specfast_inverse_num_samples, which SPECFAST_PADDING_SAME does not have.
 * Errors: *stream is NULL on failure. Allocates everything that the stream will need: frame_length
 * values a channel and the scratch of one thread. */
SPECFAST_API specfast_status specfast_inverse_stream_create(const specfast_inverse* inverse,
                                                            int64_t num_channels,
                                                            int64_t num_samples,
                                                            specfast_inverse_stream** stream);

/* Frees a stream; NULL is allowed. */
SPECFAST_API void specfast_inverse_stream_destroy(specfast_inverse_stream* stream);

/* Returns to the beginning of a signal. */
SPECFAST_API specfast_status specfast_inverse_stream_reset(specfast_inverse_stream* stream);

/* Takes spectra->num_frames frames of every channel, writes the samples that became final and their
 * number, the same for every channel, to *num_samples. num_batches must be 1, and
 * spectra->num_samples is the room that there is for samples of a channel.
 * Errors: SPECFAST_E_OUT_OF_ORDER after flush; SPECFAST_E_INVALID_ARGUMENT where there is too
 * little room, and for any other bad argument. On failure nothing was taken or written. */
SPECFAST_API specfast_status specfast_inverse_stream_push(specfast_inverse_stream* stream,
                                                          const specfast_spectra* spectra,
                                                          int64_t* num_samples);

/* Ends the signal and writes the samples that are left. The spectra are not looked at. Only reset
 * and load may follow.
 * Errors: as push; SPECFAST_E_INVALID_ARGUMENT where the frames cannot stand for a signal of the
 * length that was given to create (more frames may mend that). */
SPECFAST_API specfast_status specfast_inverse_stream_flush(specfast_inverse_stream* stream,
                                                           const specfast_spectra* spectra,
                                                           int64_t* num_samples);

/* These functions return -1 on failure. They tell: how many samples less than n * hop there have
 * been after n frames; how many the next push gives if it brings num_frames frames; how many flush
 * would give now; how many bytes save will write. */
SPECFAST_API int64_t specfast_inverse_stream_delay_samples(specfast_inverse_stream* stream);
SPECFAST_API int64_t specfast_inverse_stream_num_samples(specfast_inverse_stream* stream,
                                                         int64_t num_frames);
SPECFAST_API int64_t specfast_inverse_stream_flush_samples(specfast_inverse_stream* stream);
SPECFAST_API int64_t specfast_inverse_stream_state_bytes(specfast_inverse_stream* stream);

/* Writes what a stream remembers to bytes[num_bytes]; no alignment needed. */
SPECFAST_API specfast_status specfast_inverse_stream_save(specfast_inverse_stream* stream,
                                                          void* bytes, size_t num_bytes);

/* Continues where a stream of the same configuration was saved, by a machine with the same byte
 * order. Bytes that do not fit are refused, and the stream stays as it was. */
SPECFAST_API specfast_status specfast_inverse_stream_load(specfast_inverse_stream* stream,
                                                          const void* bytes, size_t num_bytes);

#ifdef __cplusplus
}
#endif
#endif
