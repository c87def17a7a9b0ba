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
#elif defined(__GNUC__)
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
  /* fft_length / 2 reflected samples on both sides; the reflection repeats for short signals. */
  SPECFAST_PADDING_CENTER = 2
} specfast_padding;

typedef enum specfast_scaling {
  SPECFAST_SCALING_NONE = 0,
  /* window / sqrt(sum window^2) */
  SPECFAST_SCALING_DENSITY = 1,
  /* window / sum |window| */
  SPECFAST_SCALING_SPECTRUM = 2
} specfast_scaling;

/* What the energy of a band becomes. */
typedef enum specfast_level {
  /* It stays what it is. */
  SPECFAST_LEVEL_ENERGY = 0,
  /* 10 log10(max(energy, min_power)) - 10 log10(max(|ref_power|, min_power)) */
  SPECFAST_LEVEL_DECIBEL = 1
} specfast_level;

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
  /* specfast_top_db_scope; ignored with level ENERGY, like all below. */
  int32_t top_db_scope;
  /* Decibels below the maximum at which the output is clamped, >= 0. */
  double top_db;
  /* The smallest band energy, >= 0. */
  double min_power;
  /* The energy of 0 dB, of which the absolute value is used; not 0 where min_power is 0. */
  double ref_power;
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
