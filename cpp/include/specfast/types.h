/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Types that the other headers share: the status of a call and the message of a failure, the
 * enumerations, and the settings from which plans and tables are derived.
 *
 * Usage:
 *
 *     specfast_config config;
 *     specfast_status status = specfast_config_init(&config, sizeof(config), SPECFAST_MODE_LOG);
 *     config.frame_length = 400;
 *     config.hop = 160;
 *     config.fft_length = 512;
 *     if (status != SPECFAST_OK) puts(specfast_last_error());
 */
#ifndef SPECFAST_TYPES_H
#define SPECFAST_TYPES_H

#include <stddef.h>
#include <stdint.h>

#if defined(SPECFAST_SHARED) && defined(_WIN32)
#define SPECFAST_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define SPECFAST_API __attribute__((visibility("default")))
#else
#define SPECFAST_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Failures ----------------------------------------------------------------------------------
 *
 * Every function that can fail returns a specfast_status, or says in its comment how it reports a
 * failure. */
typedef enum specfast_status {
  SPECFAST_OK = 0,
  /* A parameter is out of range, or a pointer is null or not aligned to what it points to: a number
   * to its own size, a structure as the compiler aligns it. */
  SPECFAST_E_INVALID_ARGUMENT = 1,
  /* Sizes or strides do not fit 64 bits or the address space. */
  SPECFAST_E_OVERFLOW = 2,
  SPECFAST_E_OUT_OF_MEMORY = 3,
  /* The environment variable SPECFAST_ISA names an instruction set that is unknown or absent here.
   */
  SPECFAST_E_UNAVAILABLE_ISA = 4,
  /* There is no window of that name. */
  SPECFAST_E_UNKNOWN_WINDOW = 5,
  /* A defect of the library; please report it. */
  SPECFAST_E_INTERNAL = 6,
  /* This call may not follow the ones before it. */
  SPECFAST_E_OUT_OF_ORDER = 7,
  /* Another thread is inside a call with this stream. */
  SPECFAST_E_BUSY = 8,
  /* The function of specfast_set_interrupt ended the call. */
  SPECFAST_E_INTERRUPTED = 9,
  /* There is no such device, or what it needs is missing or has failed. */
  SPECFAST_E_UNAVAILABLE_DEVICE = 10
} specfast_status;

/* Returns the message of the last failure on this thread, or "": the argument, the value received
 * and what would be accepted, in UTF-8. It stays valid until the next failing call on this thread.
 */
SPECFAST_API const char* specfast_last_error(void);

/* Returns the status of that failure, or SPECFAST_OK if there was none: for functions that report a
 * failure by a number or a null pointer. */
SPECFAST_API specfast_status specfast_last_status(void);

/* ---- Settings ----------------------------------------------------------------------------------
 */

typedef enum specfast_dtype {
  SPECFAST_FLOAT32 = 0,
  SPECFAST_FLOAT64 = 1,
  /* For input only. */
  SPECFAST_INT16 = 2,
  /* On devices only. */
  SPECFAST_FLOAT16 = 3,
  SPECFAST_BFLOAT16 = 4
} specfast_dtype;

/* What a plan computes from the bins of a frame. The modes before MEL are those of
 * keras.layers.STFTSpectrogram. */
typedef enum specfast_mode {
  SPECFAST_MODE_REAL = 0,
  SPECFAST_MODE_IMAG = 1,
  /* All real parts, then all imaginary parts. */
  SPECFAST_MODE_STFT = 2,
  /* The phase in radians, in [-pi, pi]. */
  SPECFAST_MODE_ANGLE = 3,
  /* sqrt(max(power, epsilon)) */
  SPECFAST_MODE_MAGNITUDE = 4,
  /* ln(max(magnitude, epsilon)) */
  SPECFAST_MODE_LOG = 5,
  /* Power, inner bins doubled. */
  SPECFAST_MODE_PSD = 6,
  /* The bands of keras.layers.MelSpectrogram. */
  SPECFAST_MODE_MEL = 7
} specfast_mode;

typedef enum specfast_padding {
  /* The frames that fit in the signal. */
  SPECFAST_PADDING_VALID = 0,
  /* Zeros on both sides: ceil(samples / hop) frames. */
  SPECFAST_PADDING_SAME = 1,
  /* fft_length / 2 samples on both sides, so that frame t is centred on sample t * hop. */
  SPECFAST_PADDING_CENTER = 2,
  /* pad_length samples on both sides. */
  SPECFAST_PADDING_SIDES = 3,
  /* Zeros behind the signal: ceil(samples / hop) frames. */
  SPECFAST_PADDING_END = 4,
  /* Frame t is centred on the middle of hop t: (samples + hop / 2) / hop frames. */
  SPECFAST_PADDING_HOPS = 5
} specfast_padding;

/* What the padding CENTER, SIDES and HOPS holds; a reflection repeats for short signals. */
typedef enum specfast_pad_mode {
  /* The signal backwards, its first and last sample not repeated. */
  SPECFAST_PAD_REFLECT = 0,
  SPECFAST_PAD_ZEROS = 1,
  /* The first or the last sample. */
  SPECFAST_PAD_EDGE = 2,
  /* The signal backwards, its first and last sample repeated. */
  SPECFAST_PAD_SYMMETRIC = 3
} specfast_pad_mode;

typedef enum specfast_scaling {
  SPECFAST_SCALING_NONE = 0,
  /* window / sqrt(sum window^2) */
  SPECFAST_SCALING_DENSITY = 1,
  /* window / sum |window| */
  SPECFAST_SCALING_SPECTRUM = 2
} specfast_scaling;

/* What the first sample of a frame becomes by preemphasis, which makes x[n] - c x[n - 1] of all
 * others. */
typedef enum specfast_preemphasis {
  SPECFAST_PREEMPHASIS_NONE = 0,
  /* x[0] - c x[0] */
  SPECFAST_PREEMPHASIS_FRAME = 1,
  /* The whole signal is filtered, before padding; its first sample stays. */
  SPECFAST_PREEMPHASIS_SIGNAL = 2
} specfast_preemphasis;

/* The natural logarithm of which energy of a frame is its first row, or its first cepstrum. */
typedef enum specfast_energy {
  SPECFAST_ENERGY_NONE = 0,
  /* Of the samples, after the mean has been subtracted where it is. */
  SPECFAST_ENERGY_RAW = 1,
  /* Of what is transformed. */
  SPECFAST_ENERGY_WINDOWED = 2
} specfast_energy;

typedef enum specfast_mel_scale {
  /* 1127 ln(1 + f / 700), also Kaldi's. */
  SPECFAST_MEL_HTK = 0,
  /* f * 3 / 200 below 1000 Hz, 15 + 27 ln(f / 1000) / ln 6.4 above: Slaney's Auditory Toolbox. */
  SPECFAST_MEL_SLANEY = 1
} specfast_mel_scale;

/* On which axis the sides of the triangles are straight. */
typedef enum specfast_mel_triangles {
  SPECFAST_TRIANGLES_IN_MEL = 0,
  SPECFAST_TRIANGLES_IN_HERTZ = 1
} specfast_mel_triangles;

typedef enum specfast_mel_norm {
  /* Triangles have peak 1. */
  SPECFAST_MEL_NORM_NONE = 0,
  /* Peak 2 / width in Hz. */
  SPECFAST_MEL_NORM_SLANEY = 1,
  /* The weights of a band add up to 1. */
  SPECFAST_MEL_NORM_AREA = 2
} specfast_mel_norm;

/* What the energy of a band becomes. The reference max(|ref_power|, min_power) has level 0. */
typedef enum specfast_level {
  /* It stays what it is. */
  SPECFAST_LEVEL_ENERGY = 0,
  /* 10 log10(max(energy, min_power)) */
  SPECFAST_LEVEL_DECIBEL = 1,
  /* log10(max(energy, min_power)) */
  SPECFAST_LEVEL_LOG10 = 2,
  /* ln(max(energy, min_power)) */
  SPECFAST_LEVEL_LN = 3,
  /* The same three of energy + min_power. */
  SPECFAST_LEVEL_DECIBEL_OF_SUM = 4,
  SPECFAST_LEVEL_LOG10_OF_SUM = 5,
  SPECFAST_LEVEL_LN_OF_SUM = 6
} specfast_level;

/* What is done to each row of a signal when all its frames are known. */
typedef enum specfast_normalization {
  SPECFAST_NORMALIZATION_NONE = 0,
  /* (value - mean) / (standard deviation + normalization_epsilon) */
  SPECFAST_NORMALIZATION_STD = 1,
  /* (value - mean) / sqrt(variance + normalization_epsilon) */
  SPECFAST_NORMALIZATION_VARIANCE = 2
} specfast_normalization;

/* The levels whose maximum top_db refers to. */
typedef enum specfast_top_db_scope {
  /* Levels are not clamped. */
  SPECFAST_TOP_DB_NONE = 0,
  /* The whole batch, as in Keras; a NaN anywhere makes everything NaN. */
  SPECFAST_TOP_DB_BATCH = 1,
  /* Each signal by itself. */
  SPECFAST_TOP_DB_CLIP = 2
} specfast_top_db_scope;

/* Settings of a plan. Start from specfast_config_init and change what differs. Values are checked
 * by the functions that take a configuration. */
typedef struct specfast_config {
  /* sizeof(specfast_config); set by specfast_config_init. */
  size_t struct_size;
  /* specfast_mode */
  int32_t mode;
  /* specfast_dtype of computation and output: FLOAT32 or FLOAT64. */
  int32_t dtype;
  /* Samples under the window, 1 to 2^27. */
  int64_t frame_length;
  /* Samples from one frame to the next, 1 to 2^27. */
  int64_t hop;
  /* Samples, frame_length to 2^27. Spectrogram modes have fft_length / 2 + 1 bins and, as Keras, a
   * transform of (bins - 1) * 2 points; an odd fft_length runs one point shorter and its last
   * sample wraps. */
  int64_t fft_length;
  /* specfast_padding */
  int32_t padding;
  /* specfast_scaling; ignored without a window. */
  int32_t scaling;
  /* [frame_length], aligned to double, or NULL for no window. Copied by the functions that take a
   * configuration. Not zero everywhere with a scaling, which divides by its norm. */
  const double* window;
  /* Floor of the modes MAGNITUDE and LOG, 0 to 1e15. */
  double epsilon;

  /* The fields below are for mode MEL. */

  /* Number of bands, 1 to 2^20. */
  int64_t num_mel_bins;
  /* Samples per second, > 0. In the other modes only specfast_frequencies uses it. */
  double sampling_rate_hz;
  /* Lower edge of the lowest band, >= 0. */
  double min_freq_hz;
  /* Upper edge of the highest band, > min_freq_hz. */
  double max_freq_hz;
  /* Finite exponent of the magnitude: 1 for magnitude, 2 for power. */
  double mag_exp;
  /* specfast_level */
  int32_t level;
  /* specfast_top_db_scope; not read with level ENERGY. */
  int32_t top_db_scope;
  /* Levels below the maximum at which the output is clamped, >= 0, in the unit of the level; not
   * read where top_db_scope is NONE. */
  double top_db;
  /* The smallest band energy, or what is added to it, >= 0; a number of dtype: FLOAT32 has none
   * between 0 and 2^-149. Not read with level ENERGY. */
  double min_power;
  /* The energy of level 0, of which the absolute value is used; not 0 where min_power is 0. Not
   * read with level ENERGY. */
  double ref_power;

  /* Where frames lie, in all modes. */

  /* specfast_pad_mode, for the paddings CENTER, SIDES and HOPS; REFLECT, the default, with the
   * others, where SAME and END also take ZEROS, which they hold. */
  int32_t pad_mode;
  /* Samples on each side with padding SIDES, 0 to 2^27; 0 with the others. */
  int64_t pad_length;
  /* Samples that a frame must have, the window in their middle: frame_length to 2^27, or 0 for
   * fft_length with the paddings CENTER and SIDES, and frame_length with the others. Only the
   * paddings VALID and SIDES take another value. */
  int64_t frame_span;
  /* Frames at the end that are left out, 0 to 2^27. */
  int64_t drop_frames;
  /* Frames before these that are not valid: no statistics see them, and they hold pad_value. */
  int64_t masked_frames;
  /* What frames without content hold, -1e30 to 1e30. */
  double pad_value;
  /* By which every sample is multiplied, 1e-15 to 1e15; 1 with given kernels. */
  double input_gain;

  /* What is done to a frame before the window, in this order; for mode MEL. */

  /* 1: the mean is subtracted; 0: it is not. */
  int32_t remove_dc;
  /* specfast_energy, and the smallest energy, 0 to 1e30; 2^-23 where that is less. The smallest one
   * is not read with ENERGY_NONE. */
  int32_t energy;
  double energy_floor;
  /* specfast_preemphasis, and its coefficient c, 0 to 1; 0 without a rule. */
  int32_t preemphasis_rule;
  double preemphasis;

  /* The filterbank, for mode MEL. */

  /* Added to the power of a bin, 0 or 2^-126 to 1e30: (power + power_offset) ** (mag_exp / 2). */
  double power_offset;
  /* specfast_mel_scale, specfast_mel_triangles and specfast_mel_norm */
  int32_t mel_scale;
  int32_t mel_triangles;
  int32_t mel_norm;
  /* [fft_length / 2 + 1][num_mel_bins], aligned to double, or NULL: weights of bins in bands, 0 to
   * 1e30 each, in the place of all this. Copied by the functions that take a configuration. */
  const double* mel_weights;

  /* What follows the levels, in this order; for mode MEL. */

  /* Coefficients of the DCT-II of the levels that are kept, 1 to num_mel_bins; 0: no DCT. */
  int64_t num_cepstra;
  /* 1: the DCT is orthonormal; 0: it is the plain sum, times 2. Not read without a DCT. */
  int32_t dct_is_orthonormal;
  /* Q of the liftering: coefficient i times 1 + Q / 2 sin(pi i / Q), 0 to 1e30; 0: none, as it
   * must be without a DCT. */
  double lifter;
  /* [rows before derivatives] each, aligned to double, or NULL for ones and zeros: value * row_gain
   * + row_offset. Each -1e30 to 1e30. Copied by the functions that take a configuration. */
  const double* row_gain;
  const double* row_offset;
  /* specfast_normalization, what is subtracted from the number of frames for the variance, 0 to
   * 2^27, and what is added, 0 or 2^-126 to 1e30. These two are not read with NORMALIZATION_NONE.
   */
  int32_t normalization;
  int64_t normalization_ddof;
  double normalization_epsilon;
  /* 1: per-channel energy normalisation, in the place of a level, an energy, cepstra, gains and
   * offsets: (E / (pcen_epsilon + M)^pcen_gain + pcen_bias)^pcen_power - pcen_bias^pcen_power,
   * where E is the energy of a band and M of a frame is pcen_smoothing * E + (1 - pcen_smoothing) *
   * M of the frame before, 1 before the first one. 0: none. The gain is 0 to 1e30, the smoothing 0
   * to 1, the others 1e-30 to 1e30. None is read where pcen is 0. */
  int32_t pcen;
  double pcen_gain;
  double pcen_bias;
  double pcen_power;
  double pcen_smoothing;
  double pcen_epsilon;
  /* Derivatives over time that follow the rows, 0 to 2, each as many rows: Kaldi's regression over
   * delta_window frames on each side, 1 to 1000, where the first and the last frame are repeated.
   * The window is not read where the order is 0. */
  int32_t delta_order;
  int64_t delta_window;
} specfast_config;

/* Fills `config` with the defaults of the Keras layer that has this mode (a specfast_mode). The
 * window stays NULL: see specfast_window.
 * Errors: SPECFAST_E_INVALID_ARGUMENT for an unknown mode, and for a struct_size that is not this
 * library's sizeof(specfast_config). Nothing is written then. */
SPECFAST_API specfast_status specfast_config_init(specfast_config* config, size_t struct_size,
                                                  int32_t mode);

#ifdef __cplusplus
}
#endif
#endif
