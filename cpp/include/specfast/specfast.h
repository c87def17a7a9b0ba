/* SPDX-License-Identifier: BSD-3-Clause
 *
 * specfast: spectrograms and mel spectrograms with the numbers of keras.layers.STFTSpectrogram and
 * MelSpectrogram.
 *
 * A plan holds everything derived from a configuration and never changes; any number of threads may
 * use it at once. A workspace holds scratch memory for one call at a time. A batch describes the
 * arrays of one call.
 *
 * Every function that can fail returns a specfast_status. On failure specfast_last_error()
 * describes it: the argument, the value received and what would be accepted. No function prints,
 * exits, throws or keeps a pointer that it was given, unless its comment says so. */
#ifndef SPECFAST_H
#define SPECFAST_H

#include <stddef.h>
#include <stdint.h>

#if defined(SPECFAST_SHARED) && defined(_WIN32)
#define SPECFAST_API __declspec(dllimport)
#elif defined(__GNUC__)
#define SPECFAST_API __attribute__((visibility("default")))
#else
#define SPECFAST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum specfast_status {
  SPECFAST_OK = 0,
  SPECFAST_E_INVALID_ARGUMENT =
      1,                   /* a parameter is out of range, or a pointer is null or misaligned */
  SPECFAST_E_OVERFLOW = 2, /* sizes or strides do not fit 64 bits or the address space */
  SPECFAST_E_OUT_OF_MEMORY = 3,
  SPECFAST_E_UNAVAILABLE_ISA =
      4, /* SPECFAST_ISA names an instruction set that is unknown or absent here */
  SPECFAST_E_UNKNOWN_WINDOW = 5, /* no window of that name */
  SPECFAST_E_INTERNAL = 6,       /* a defect of the library; please report it */
  SPECFAST_E_OUT_OF_ORDER = 7,   /* this call may not follow the ones before it */
  SPECFAST_E_BUSY = 8            /* another thread is inside a call with this stream */
} specfast_status;

typedef enum specfast_dtype {
  SPECFAST_FLOAT32 = 0,
  SPECFAST_FLOAT64 = 1,
  SPECFAST_INT16 = 2 /* input only */
} specfast_dtype;

/* What a plan computes. The spectrogram modes are those of keras.layers.STFTSpectrogram. */
typedef enum specfast_mode {
  SPECFAST_MODE_REAL = 0,
  SPECFAST_MODE_IMAG = 1,
  SPECFAST_MODE_STFT = 2,      /* all real bins, then all imaginary bins */
  SPECFAST_MODE_ANGLE = 3,     /* radians in [-pi, pi] */
  SPECFAST_MODE_MAGNITUDE = 4, /* sqrt(max(power, epsilon)) */
  SPECFAST_MODE_LOG = 5,       /* ln(max(magnitude, epsilon)) */
  SPECFAST_MODE_PSD = 6,       /* power, inner bins doubled */
  SPECFAST_MODE_MEL = 7        /* keras.layers.MelSpectrogram */
} specfast_mode;

typedef enum specfast_padding {
  SPECFAST_PADDING_VALID = 0, /* frames that fit in the signal */
  SPECFAST_PADDING_SAME = 1,  /* zeros on both sides: ceil(samples / hop) frames */
  SPECFAST_PADDING_CENTER = 2 /* fft_length / 2 reflected samples on both sides; the reflection
                                 repeats for short signals */
} specfast_padding;

typedef enum specfast_scaling {
  SPECFAST_SCALING_NONE = 0,
  SPECFAST_SCALING_DENSITY = 1, /* window / sqrt(sum window^2) */
  SPECFAST_SCALING_SPECTRUM = 2 /* window / sum |window| */
} specfast_scaling;

typedef enum specfast_top_db_scope {
  SPECFAST_TOP_DB_NONE = 0,
  SPECFAST_TOP_DB_BATCH =
      1, /* the maximum of the whole batch, as Keras; a NaN anywhere makes everything NaN */
  SPECFAST_TOP_DB_CLIP = 2 /* the maximum of each signal */
} specfast_top_db_scope;

/* Start from specfast_config_init and change what differs. */
typedef struct specfast_config {
  size_t struct_size;   /* sizeof(specfast_config); set by specfast_config_init */
  int32_t mode;         /* specfast_mode */
  int32_t dtype;        /* specfast_dtype of computation and output: FLOAT32 or FLOAT64 */
  int64_t frame_length; /* samples under the window; 1 to 2^27, as hop and fft_length */
  int64_t hop;          /* samples from one frame to the next, >= 1 */
  int64_t fft_length;   /* >= frame_length. Spectrogram modes have fft_length / 2 + 1 bins and, as
                           Keras, a transform of (bins - 1) * 2 points; an odd fft_length runs one
                           point shorter and its last sample wraps. */
  int32_t padding;      /* specfast_padding */
  int32_t scaling;      /* specfast_scaling; ignored without a window */
  const double* window; /* [frame_length], copied by specfast_plan_create; NULL for no window */
  double epsilon;       /* modes MAGNITUDE and LOG: 0 to 1e15 */

  /* Mode MEL only. */
  int64_t num_mel_bins;    /* 1 to 2^20 */
  double sampling_rate_hz; /* > 0 */
  double min_freq_hz;      /* >= 0: lower edge of the lowest band */
  double max_freq_hz;      /* > min_freq_hz: upper edge of the highest band */
  double mag_exp;          /* finite exponent of the magnitude: 1 magnitude, 2 power */
  int32_t power_to_db;     /* 0 or 1 */
  int32_t top_db_scope;    /* specfast_top_db_scope; only with power_to_db */
  double top_db;           /* >= 0, decibels below the maximum at which the output is clamped */
  double min_power;        /* >= 0, with power_to_db: the smallest band energy */
  double ref_power; /* energy of 0 dB; its absolute value is used; not 0 where min_power is 0 */
} specfast_config;

/* Kernels in place of window and transform, as keras.layers.STFTSpectrogram trains them: bin k of a
 * frame x is sum_n x[n] * (real_kernel[n][k] + i imag_kernel[n][k]). Each is [frame_length][bins],
 * contiguous, with bins = fft_length / 2 + 1; modes REAL and IMAG have one kernel, and the other
 * must be NULL. Any value is taken; NaN and infinity go their way into the output.
 *
 * Where no value is farther than Keras' rounding from the analytic one (specfast_analytic_weights),
 * the FFT computes instead: rounding * (max |window| + |window[n]| * (8 + 2 angle)) with the scaled
 * window and angle = 2 pi n k / ((bins - 1) * 2); for a rounding beyond 1e-4 (half precision)
 * rounding * max |window|. */
typedef struct specfast_weights {
  size_t struct_size; /* sizeof(specfast_weights) */
  int32_t dtype;      /* specfast_dtype of the kernels: FLOAT32 or FLOAT64 */
  double rounding;    /* machine epsilon of the type in which the kernels were computed, 0 to 1:
                         2^-23 for float32 */
  const void* real_kernel;
  const void* imag_kernel;
} specfast_weights;

/* The arrays of one call. Strides are in elements and may be negative or, for the input, zero.
 * Element (b, c, s) of the input is input[b * in_batch_stride + c * in_channel_stride + s *
 * in_sample_stride]; element (b, c, frame, row) of the output is output[b * out_batch_stride + c *
 * out_channel_stride + frame * out_frame_stride + row * out_row_stride]. Output elements must not
 * overlap each other or the input. */
typedef struct specfast_batch {
  size_t struct_size; /* sizeof(specfast_batch) */
  const void* input;  /* aligned to its element; may be NULL when there is nothing to read */
  int32_t in_dtype;   /* specfast_dtype; values are converted to the plan's dtype */
  double in_scale;    /* then multiplied by this number, in the plan's dtype: 1.0 / 32768 for 16-bit
                         PCM in [-1, 1). 0: they are taken as they are, int16 too. */
  int64_t num_batches, num_channels, num_samples;
  int64_t in_batch_stride, in_channel_stride, in_sample_stride;
  void* output; /* the plan's dtype, aligned to its element */
  int64_t out_batch_stride, out_channel_stride, out_frame_stride, out_row_stride;
} specfast_batch;

/* What specfast_pull_back computes: from the gradient of a loss with respect to the output of a
 * call, those with respect to its input and to the kernels. All in the plan's dtype and aligned to
 * it. Strides as in specfast_batch. No array may overlap another, nor the input. */
typedef struct specfast_gradient {
  size_t struct_size;    /* sizeof(specfast_gradient) */
  const void* cotangent; /* gradient of the output; read only, strides may be zero or negative */
  int64_t cotangent_batch_stride, cotangent_channel_stride, cotangent_frame_stride,
      cotangent_row_stride;
  const void*
      kept;     /* what specfast_execute_keep left for this plan and input; NULL: computed anew */
  void* signal; /* written: gradient of the input, of its shape; NULL: not wanted */
  int64_t signal_batch_stride, signal_channel_stride, signal_sample_stride;
  void* real_kernel; /* written: gradients of the kernels, [frame_length][bins] and contiguous, */
  void* imag_kernel; /* summed over all frames; NULL: not wanted, or not there in this mode */
} specfast_gradient;

typedef struct specfast_plan specfast_plan;
typedef struct specfast_workspace specfast_workspace;

/* Message of the last failure on this thread, or "". Valid until the next failing call on this
 * thread. */
SPECFAST_API const char* specfast_last_error(void);

/* Fills `config` with the defaults of the Keras layer that has this mode. `struct_size` must be
 * sizeof(specfast_config). The window stays NULL: see specfast_window. */
SPECFAST_API specfast_status specfast_config_init(specfast_config* config, size_t struct_size,
                                                  int32_t mode);

/* Checks `config` and derives a plan from it. Allocates. *plan is NULL on failure. */
SPECFAST_API specfast_status specfast_plan_create(const specfast_config* config,
                                                  specfast_plan** plan);
/* The same with given kernels, which are copied. Not for mode MEL. */
SPECFAST_API specfast_status specfast_plan_create_with_weights(const specfast_config* config,
                                                               const specfast_weights* weights,
                                                               specfast_plan** plan);
/* 1 if the plan computes by FFT, 0 if it multiplies by given kernels, and for NULL. */
SPECFAST_API int32_t specfast_plan_is_analytic(const specfast_plan* plan);
/* Writes the kernels that a plan of this configuration stands for: the scaled window times cos and
 * -sin of 2 pi n k / ((bins - 1) * 2). Each [frame_length][bins]; one that the mode does not have
 * may be NULL and is not written. Not for mode MEL. Allocates. */
SPECFAST_API specfast_status specfast_analytic_weights(const specfast_config* config,
                                                       double* real_kernel, double* imag_kernel);
/* No call may still be using the plan or a workspace made for it. NULL is allowed. */
SPECFAST_API void specfast_plan_destroy(specfast_plan* plan);

/* Rows of one output frame: bins, twice the bins (mode STFT), or bands (mode MEL). 0 for NULL. */
SPECFAST_API int64_t specfast_plan_num_rows(const specfast_plan* plan);
/* Frames that a signal of num_samples samples gives; 0 for NULL, for a negative number and where no
 * frame fits. */
SPECFAST_API int64_t specfast_plan_num_frames(const specfast_plan* plan, int64_t num_samples);

/* Scratch for calls on up to num_threads threads; 0 means specfast_num_threads(). Use it in one
 * call at a time. Allocates. Memory depends on the plan and the threads, not on the signals; a
 * number of threads beyond what this machine could use is lowered. */
SPECFAST_API specfast_status specfast_workspace_create(const specfast_plan* plan,
                                                       int32_t num_threads,
                                                       specfast_workspace** workspace);
/* NULL is allowed. */
SPECFAST_API void specfast_workspace_destroy(specfast_workspace* workspace);

/* A caller's own way onto threads, such as a thread pool: calls task(argument, i) once for each i
 * from 0 to num_tasks - 1, in any order, one after the other or at the same time, on any threads,
 * and returns when all these calls have returned. Tasks neither wait for each other nor throw. */
typedef void (*specfast_task)(void* argument, int32_t index);
typedef void (*specfast_runner)(void* context, int32_t num_tasks, specfast_task task,
                                void* argument);

/* As specfast_workspace_create, for calls that share their work among at most num_threads tasks of
 * `runner`, 1 to 4096, each of which has its own scratch memory. Uses no OpenMP, and works in a
 * build without it. Results are those of any other workspace, bit for bit. A call with little work
 * does not use the runner. Keeps `runner` and `context` until the workspace is destroyed. A call
 * whose runner returned before all the work was done gives SPECFAST_E_INVALID_ARGUMENT. */
SPECFAST_API specfast_status specfast_workspace_create_with_runner(const specfast_plan* plan,
                                                                   int32_t num_threads,
                                                                   specfast_runner runner,
                                                                   void* context,
                                                                   specfast_workspace** workspace);

/* Computes every frame of every signal of the batch, on as many threads as the workspace has where
 * the work is worth it. The result does not depend on the number of threads.
 *
 * Errors: on failure nothing was written, except on SPECFAST_E_INTERNAL and
 * SPECFAST_E_OUT_OF_MEMORY.
 *
 * Thread: a plan may be shared, a workspace may not.
 *
 * Allocates: with top_db, and what OpenMP needs for its threads (GNU OpenMP ends the process when
 * it cannot start one). */
SPECFAST_API specfast_status specfast_execute(const specfast_plan* plan,
                                              specfast_workspace* workspace,
                                              const specfast_batch* batch);

/* Values, of the plan's dtype, that specfast_execute_keep leaves for each signal of num_samples
 * samples: its spectra, about twice the output. 0 where there is nothing worth keeping: plans that
 * compute by FFT, modes REAL, IMAG and STFT; for NULL, and where no frame fits. */
SPECFAST_API int64_t specfast_plan_num_kept(const specfast_plan* plan, int64_t num_samples);

/* specfast_execute, with the same output, that also leaves in `kept` what would be computed once
 * more for the gradients: num_batches * num_channels * specfast_plan_num_kept() values, in an order
 * that is the library's own, for specfast_pull_back with the same plan and input in the same
 * process. */
SPECFAST_API specfast_status specfast_execute_keep(const specfast_plan* plan,
                                                   specfast_workspace* workspace,
                                                   const specfast_batch* batch, void* kept);

/* Computes gradients (vector-Jacobian products) of specfast_execute(plan, ..., batch). `batch`
 * describes the input, without in_scale; its output is not used. The kernels' gradients are those
 * at the plan's kernels, the analytic ones included.
 *
 * Where there is no derivative, or none that is finite, the convention is: zero at a power below
 * the smallest normal number (square root, angle, mag_exp, and the logarithm without a floor), and
 * at and below the floors epsilon and min_power. At and below the floor that top_db makes, the
 * gradient is handed on to the maximum from which that floor hangs; several maxima share it alike.
 * So silence gives zeros. NaN in the input gives NaN in what depends on it.
 *
 * The result does not depend on the number of threads. num_threads: 0 means specfast_num_threads().
 * Errors: as specfast_execute. Thread: a plan may be shared.
 *
 * Allocates scratch: for each thread some tiles; for the overlap of frames and their padding at
 * most a quarter of the signals and fft_length values a signal; for kernels their size and the
 * samples and spectra of at least 512 frames; with top_db an output. */
SPECFAST_API specfast_status specfast_pull_back(const specfast_plan* plan, int32_t num_threads,
                                                const specfast_batch* batch,
                                                const specfast_gradient* gradient);

/* ---- Streams -----------------------------------------------------------------------------------
 *
 * A stream takes a signal piece by piece and gives its frames as soon as their last sample is
 * there. All frames of all pushes and of the flush together are, bit for bit, what specfast_execute
 * computes from the whole signal, however it was cut. Frame t comes with the push that brings the
 * total to t * hop + specfast_stream_latency_samples samples; frame 0 of a plan with
 * SPECFAST_PADDING_CENTER may wait for up to two samples more, because the sample fft_length / 2
 * after the beginning is reflected to the front.
 *
 * Life: create, prepare, then any number of pushes, flush, reset, more pushes, ... A stream may be
 * prepared again; that is a reset too.
 *
 * Real time: calls of specfast_stream_push, _flush and _reset that succeed make no allocation, no
 * lock, no system call and throw nothing, and their work is bounded by the number of samples and
 * frames. This holds for every length of transform, with the pocketfft header that this library
 * pins.
 *
 * Thread: one call at a time with one stream; a second one is refused with SPECFAST_E_BUSY. Not for
 * create and destroy: nobody else may use the stream then. The plan may be shared and must outlive
 * the stream. */
typedef struct specfast_stream specfast_stream;

/* What stands for the maximum of the whole signal, which top_db wants and a stream cannot know. */
typedef enum specfast_max_rule {
  SPECFAST_MAX_NONE = 0,   /* the plan has no top_db */
  SPECFAST_MAX_FIXED = 1,  /* max_db: where that is the true maximum, the result is that of
                              specfast_execute */
  SPECFAST_MAX_RUNNING = 2 /* the maximum of this frame and all before it; over all channels with
                              scope BATCH, of each channel with scope CLIP. A NaN stays in its frame
                              and has no part in the maximum. */
} specfast_max_rule;

/* Start from specfast_stream_config_init and change what differs. */
typedef struct specfast_stream_config {
  size_t struct_size;   /* sizeof(specfast_stream_config); set by specfast_stream_config_init */
  int64_t num_channels; /* 1 to 65536; each is a signal of its own. Default 1. */
  int64_t max_block; /* most samples of a channel in one push, 1 to 2^62; memory does not depend on
                        it. Default 4096. */
  int32_t max_rule;  /* specfast_max_rule: not NONE if and only if the plan has a top_db */
  double max_db;     /* SPECFAST_MAX_FIXED: finite, decibels */
  int64_t num_samples; /* SPECFAST_PADDING_SAME only, else 0: how many samples each channel will
                          have in all, or any number with the same remainder modulo hop. The zeros
                          in front of the signal depend on it; flush checks it. May be 0 where the
                          hop makes no difference (hop 1). */
} specfast_stream_config;

/* The arrays of one push or flush. Strides are in elements. Sample (c, s) is
 * input[c * in_channel_stride + s * in_sample_stride]; element (c, frame, row) of the output is
 * output[c * out_channel_stride + frame * out_frame_stride + row * out_row_stride], frame 0 being
 * the first one of this call. Output elements must not overlap each other or the input. */
typedef struct specfast_block {
  size_t struct_size;  /* sizeof(specfast_block) */
  const void* input;   /* aligned to its element; may be NULL where num_samples is 0 */
  int32_t in_dtype;    /* specfast_dtype, as in specfast_batch; may differ from push to push */
  double in_scale;     /* as in specfast_batch; may differ from push to push */
  int64_t num_samples; /* of each channel, 0 to max_block; flush does not look at the input */
  int64_t in_channel_stride, in_sample_stride;
  void* output; /* the plan's dtype, aligned to its element; may be NULL where no frame comes */
  int64_t max_frames; /* frames that the output has room for; >= 0 */
  int64_t out_channel_stride, out_frame_stride, out_row_stride;
} specfast_block;

/* A stream that is not prepared yet. Allocates. *stream is NULL on failure. */
SPECFAST_API specfast_status specfast_stream_create(const specfast_plan* plan,
                                                    specfast_stream** stream);
/* NULL is allowed. */
SPECFAST_API void specfast_stream_destroy(specfast_stream* stream);

/* Fills `config` with the defaults. `struct_size` must be sizeof(specfast_stream_config). */
SPECFAST_API specfast_status specfast_stream_config_init(specfast_stream_config* config,
                                                         size_t struct_size);
/* Makes a stream ready for its first push. Allocates everything that it will need: about
 * num_channels * (2 * frame_length + 40 * hop) samples and the scratch of one thread. On failure
 * the stream stays as it was. */
SPECFAST_API specfast_status specfast_stream_prepare(specfast_stream* stream,
                                                     const specfast_stream_config* config);

/* Takes block->num_samples samples of every channel, writes the frames that became ready and their
 * number, the same for every channel, to *num_frames. No samples are fine.
 * Errors: SPECFAST_E_OUT_OF_ORDER before prepare and after flush; SPECFAST_E_INVALID_ARGUMENT where
 * the output has no room for all frames, and for any other bad argument. On failure nothing was
 * taken or written, and *num_frames is 0. */
SPECFAST_API specfast_status specfast_stream_push(specfast_stream* stream,
                                                  const specfast_block* block, int64_t* num_frames);
/* Ends the signal and writes the frames that reach beyond it, as specfast_execute has them: none
 * with SPECFAST_PADDING_VALID. Only reset, prepare and load may follow.
 * Errors: as push; SPECFAST_E_INVALID_ARGUMENT with SPECFAST_PADDING_SAME if the number of samples
 * does not fit config.num_samples (more samples may mend that). */
SPECFAST_API specfast_status specfast_stream_flush(specfast_stream* stream,
                                                   const specfast_block* block,
                                                   int64_t* num_frames);
/* Back to the beginning of a signal. */
SPECFAST_API specfast_status specfast_stream_reset(specfast_stream* stream);

/* The functions below return -1 on failure: for NULL, for a stream that is not prepared, busy or
 * already flushed where that matters. */

/* Look-ahead in samples: frame t needs the samples before t * hop + this number. It is
 * frame_length less the padding in front of the signal. */
SPECFAST_API int64_t specfast_stream_latency_samples(specfast_stream* stream);
/* Frames that the next push will give if it brings num_samples samples. */
SPECFAST_API int64_t specfast_stream_num_frames(specfast_stream* stream, int64_t num_samples);
/* Frames that flush would give now. */
SPECFAST_API int64_t specfast_stream_flush_frames(specfast_stream* stream);
/* The most frames that one push of up to max_block samples or a flush can give, ever. */
SPECFAST_API int64_t specfast_stream_max_frames(specfast_stream* stream);
/* Bytes that save will write now. */
SPECFAST_API int64_t specfast_stream_state_bytes(specfast_stream* stream);

/* Writes what a stream remembers (position, samples, running maximum) to bytes[num_bytes], where
 * num_bytes is at least specfast_stream_state_bytes; no alignment needed. */
SPECFAST_API specfast_status specfast_stream_save(specfast_stream* stream, void* bytes,
                                                  size_t num_bytes);
/* Continues where a stream with the same plan and configuration was saved, by a machine with the
 * same byte order. All arguments are compared, the window included, but not the values of trained
 * kernels, of which only the presence is; bytes that do not fit are refused, and the stream stays
 * as it was. max_block may differ. */
SPECFAST_API specfast_status specfast_stream_load(specfast_stream* stream, const void* bytes,
                                                  size_t num_bytes);

/* Writes the named window to values[length]. Names are SciPy's that need no parameter, see
 * specfast_window_name. */
SPECFAST_API specfast_status specfast_window(const char* name, int64_t length, int32_t periodic,
                                             double* values);
/* Name number `index` from 0 on, aliases included; NULL past the last. */
SPECFAST_API const char* specfast_window_name(size_t index);

/* Writes the weights that turn num_bins spectrum bins, linearly spaced from 0 to sampling_rate_hz /
 * 2, into num_mel_bins bands: weights[bin * num_mel_bins + band]. Triangles that are linear in
 * mel(f) = 2595 log10(1 + f / 700), peak 1; the DC row is zero. */
SPECFAST_API specfast_status specfast_mel_weights(int64_t num_mel_bins, int64_t num_bins,
                                                  double sampling_rate_hz, double min_freq_hz,
                                                  double max_freq_hz, double* weights);

/* Threads that a new workspace gets when asked for 0: the number set here; else
 * SPECFAST_NUM_THREADS; else OMP_NUM_THREADS; else the processors that affinity and the cgroup
 * quota allow; 1 in a build without OpenMP. */
SPECFAST_API int32_t specfast_num_threads(void);
/* num_threads from 1 to 4096, or 0 to restore the default. Without effect in a build without
 * OpenMP. */
SPECFAST_API specfast_status specfast_set_num_threads(int32_t num_threads);

typedef struct specfast_build_info {
  size_t struct_size;
  const char* version;
  const char* isa;            /* the kernels in use, chosen once by CPUID or SPECFAST_ISA */
  const char* available_isas; /* separated by commas, best first */
  int32_t lanes_float32;      /* frames computed together */
  int32_t lanes_float64;
  int32_t openmp; /* 0 or 1 */
  const char* compiler;
  const char* pocketfft; /* revision, or "installed, sha256 ..." */
} specfast_build_info;

/* Fills `info`, whose struct_size the caller has set. The strings live as long as the library. */
SPECFAST_API specfast_status specfast_get_build_info(specfast_build_info* info);

#ifdef __cplusplus
}
#endif
#endif
