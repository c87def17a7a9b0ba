/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Streams: a signal piece by piece.
 *
 * A stream gives the frames of a signal as soon as their last sample is there. All frames of all
 * pushes and of the flush together are, bit for bit, what specfast_execute computes from the whole
 * signal, however it was cut. Frame t comes with the push that brings the total to t * hop +
 * specfast_stream_latency_samples samples; the first frames of a plan whose padding reflects may
 * wait for more: for the last sample that is reflected to the front (with SPECFAST_PADDING_CENTER
 * number fft_length / 2, up to two samples more).
 *
 * A plan with normalization or derivatives has no stream: these need samples that are still to
 * come.
 *
 * Life: create, prepare, then any number of pushes, flush, reset, more pushes, ... A stream may be
 * prepared again; that is a reset too.
 *
 * Real time: calls of specfast_stream_push, _flush and _reset that succeed make no allocation, no
 * lock, no system call and throw nothing, and their work is bounded by the number of samples and
 * frames. This holds for every length of transform, with the pocketfft header that this library
 * pins.
 *
 * Usage, for blocks of one channel, frame after frame into `output`, which has room for
 * `max_frames` = specfast_stream_max_frames(stream) frames:
 *
 *     specfast_stream_config settings;
 *     specfast_stream_config_init(&settings, sizeof(settings));
 *     specfast_stream* stream;
 *     if (specfast_stream_create(plan, &stream) != SPECFAST_OK) return 1;
 *     if (specfast_stream_prepare(stream, &settings) != SPECFAST_OK) return 1;
 *     specfast_block block = {0};
 *     block.struct_size = sizeof(block);
 *     block.input = samples;
 *     block.in_dtype = SPECFAST_FLOAT32;
 *     block.num_samples = num_samples;
 *     block.in_sample_stride = 1;
 *     block.output = output;
 *     block.max_frames = max_frames;
 *     block.out_frame_stride = specfast_plan_num_rows(plan);
 *     block.out_row_stride = 1;
 *     int64_t num_frames;
 *     if (specfast_stream_push(stream, &block, &num_frames) != SPECFAST_OK) return 1;
 *     if (specfast_stream_flush(stream, &block, &num_frames) != SPECFAST_OK) return 1;
 *     specfast_stream_destroy(stream);
 */
#ifndef SPECFAST_STREAM_H
#define SPECFAST_STREAM_H

#include "plan.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Life of a stream --------------------------------------------------------------------------
 */

/* Thread: one call at a time with one stream; a second one is refused with SPECFAST_E_BUSY. Not so
 * create and destroy: no other thread may be using the stream then. The plan may be shared and must
 * outlive the stream. */
typedef struct specfast_stream specfast_stream;

/* Replaces the whole-signal maximum that top_db needs and a stream cannot know. */
typedef enum specfast_max_rule {
  /* The plan has no top_db. */
  SPECFAST_MAX_NONE = 0,
  /* max_db: where that is the true maximum, the result is that of specfast_execute. */
  SPECFAST_MAX_FIXED = 1,
  /* The maximum of this frame and all before it; over all channels with scope BATCH, of each
   * channel with scope CLIP. A NaN stays in its frame and has no part in the maximum. */
  SPECFAST_MAX_RUNNING = 2
} specfast_max_rule;

/* Settings of a stream. Start from specfast_stream_config_init and change what differs. */
typedef struct specfast_stream_config {
  /* sizeof(specfast_stream_config); set by specfast_stream_config_init. */
  size_t struct_size;
  /* 1 to 65536; each is a signal of its own. Default 1. */
  int64_t num_channels;
  /* Most samples of a channel in one push, 1 to 2^62; memory does not depend on it. Default 4096.
   */
  int64_t max_block;
  /* specfast_max_rule: not NONE if and only if the plan has a top_db. Default NONE. */
  int32_t max_rule;
  /* SPECFAST_MAX_FIXED: finite, in the unit of the plan's level (decibels, log10 or ln), before
   * row_gain and row_offset. */
  double max_db;
  /* SPECFAST_PADDING_SAME only, else 0: how many samples each channel will have in all, or any
   * number with the same remainder modulo hop. The zeros in front of the signal depend on it; flush
   * checks it. May be 0 where the hop makes no difference (hop 1). */
  int64_t num_samples;
} specfast_stream_config;

/* Makes a stream that is not prepared yet.
 * Errors: *stream is NULL on failure. Allocates. */
SPECFAST_API specfast_status specfast_stream_create(const specfast_plan* plan,
                                                    specfast_stream** stream);

/* Frees a stream; NULL is allowed. */
SPECFAST_API void specfast_stream_destroy(specfast_stream* stream);

/* Fills `config` with the defaults.
 * Errors: SPECFAST_E_INVALID_ARGUMENT for a struct_size that is not this library's
 * sizeof(specfast_stream_config). */
SPECFAST_API specfast_status specfast_stream_config_init(specfast_stream_config* config,
                                                         size_t struct_size);

/* Makes a stream ready for its first push.
 * Errors: on failure the stream stays as it was.
 * Allocates everything that it will need: for each channel about 2 * frame_length + 40 * hop
 * samples, three times those of the padding in front of the signal, and (drop_frames +
 * masked_frames) * hop; with PCEN a value for each row; and the scratch of one thread. */
SPECFAST_API specfast_status specfast_stream_prepare(specfast_stream* stream,
                                                     const specfast_stream_config* config);

/* Returns to the beginning of a signal. */
SPECFAST_API specfast_status specfast_stream_reset(specfast_stream* stream);

/* ---- Blocks of samples -------------------------------------------------------------------------
 */

/* The arrays of one push or flush. Strides are in elements and may be negative or, for the input,
 * zero. Output elements must not overlap each other or the input. */
typedef struct specfast_block {
  /* sizeof(specfast_block) */
  size_t struct_size;
  /* Sample (c, s) is input[c * in_channel_stride + s * in_sample_stride]. Aligned to its element
   * and only read; may be NULL where num_samples is 0. */
  const void* input;
  /* As in specfast_batch; both may differ from push to push. */
  int32_t in_dtype;
  double in_scale;
  /* Samples of each channel, 0 to max_block; flush does not look at the input. */
  int64_t num_samples;
  int64_t in_channel_stride, in_sample_stride;
  /* Element (c, frame, row) is
   * output[c * out_channel_stride + frame * out_frame_stride + row * out_row_stride],
   * frame 0 being the first one of this call. Of the plan's dtype and aligned to
   * it; may be NULL where no frame comes. */
  void* output;
  /* Frames that the output has room for, >= 0. */
  int64_t max_frames;
  int64_t out_channel_stride, out_frame_stride, out_row_stride;
} specfast_block;

/* Takes block->num_samples samples of every channel, writes the frames that became ready and their
 * number, the same for every channel, to *num_frames. num_samples may be 0.
 * Errors: SPECFAST_E_OUT_OF_ORDER before prepare and after flush; SPECFAST_E_INVALID_ARGUMENT where
 * the output has no room for all frames, and for any other bad argument. On failure nothing was
 * taken or written, and *num_frames is 0. */
SPECFAST_API specfast_status specfast_stream_push(specfast_stream* stream,
                                                  const specfast_block* block, int64_t* num_frames);

/* Ends the signal and writes the frames that reach beyond it, as specfast_execute has them, and
 * masked_frames frames of pad_value behind these: none with SPECFAST_PADDING_VALID where
 * masked_frames is 0. Only reset, prepare and load may follow.
 * Errors: as push; SPECFAST_E_INVALID_ARGUMENT with SPECFAST_PADDING_SAME if the number of samples
 * does not fit config.num_samples (more samples may mend that). */
SPECFAST_API specfast_status specfast_stream_flush(specfast_stream* stream,
                                                   const specfast_block* block,
                                                   int64_t* num_frames);

/* ---- Numbers -----------------------------------------------------------------------------------
 *
 * These functions return -1 on failure: for NULL, for a stream that is not prepared, and the last
 * three also for one that another thread is using. */

/* Returns the look-ahead in samples: frame t needs the samples before t * hop + this number. It is
 * frame_length less the padding in front of the signal, or more where a frame counts only if later
 * samples are there: with frame_span, and (drop_frames + masked_frames) * hop samples for frames
 * that are left out or masked. Thread: any, also during a push. */
SPECFAST_API int64_t specfast_stream_latency_samples(specfast_stream* stream);

/* Returns the most frames that one push of up to max_block samples or a flush can give, ever.
 * Thread: any, also during a push. */
SPECFAST_API int64_t specfast_stream_max_frames(specfast_stream* stream);

/* Returns how many frames the next push will give if it brings num_samples samples; 0 after flush.
 * -1 also for a num_samples that is negative or beyond max_block. */
SPECFAST_API int64_t specfast_stream_num_frames(specfast_stream* stream, int64_t num_samples);

/* Returns how many frames flush would give now. */
SPECFAST_API int64_t specfast_stream_flush_frames(specfast_stream* stream);

/* Returns how many bytes save will write now. */
SPECFAST_API int64_t specfast_stream_state_bytes(specfast_stream* stream);

/* ---- State -------------------------------------------------------------------------------------
 */

/* Writes what a stream remembers (position, samples, running maximum, energies of PCEN) to
 * bytes[num_bytes], where num_bytes is at least specfast_stream_state_bytes; no alignment needed.
 */
SPECFAST_API specfast_status specfast_stream_save(specfast_stream* stream, void* bytes,
                                                  size_t num_bytes);

/* Continues where a stream with the same plan and configuration was saved, by a machine with the
 * same byte order. All arguments are compared, the window included, but not the values of trained
 * kernels, of which only the presence is; bytes that do not fit are refused, and the stream stays
 * as it was. max_block may differ. */
SPECFAST_API specfast_status specfast_stream_load(specfast_stream* stream, const void* bytes,
                                                  size_t num_bytes);

#ifdef __cplusplus
}
#endif
#endif
