/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables from which plans are made, for programs that need them by themselves: windows, filterbank
 * weights, kernels; and what the rows of a result stand for. All in double precision, written to
 * contiguous memory of the caller that overlaps no other argument and is aligned to double.
 * Functions may be called by any number of threads at once.
 *
 * Usage, with room for frame_length values in `window`:
 *
 *     if (specfast_window("hann", config.frame_length, 1, window) != SPECFAST_OK) return 1;
 *     config.window = window;
 */
#ifndef SPECFAST_TABLES_H
#define SPECFAST_TABLES_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Windows -----------------------------------------------------------------------------------
 */

/* Writes the named window to values[length], length 1 to 2^27; periodic: 1 for spectral analysis, 0
 * for the symmetric one. Names are SciPy's that need no parameter, and Kaldi's "povey" and "sine":
 * see specfast_window_name. Errors: SPECFAST_E_UNKNOWN_WINDOW. Allocates. */
SPECFAST_API specfast_status specfast_window(const char* name, int64_t length, int32_t periodic,
                                             double* values);

/* Returns name number `index` from 0 on, aliases included; NULL past the last. */
SPECFAST_API const char* specfast_window_name(size_t index);

/* ---- Filterbanks and kernels -------------------------------------------------------------------
 */

/* Writes the weights that turn num_bins spectrum bins, linearly spaced from 0 to
 * sampling_rate_hz / 2, into num_mel_bins bands: weights[bin * num_mel_bins + band]. The bands are
 * triangles on the scale of specfast_hertz_to_mel, with peak 1; the DC row is zero. Allocates. */
SPECFAST_API specfast_status specfast_mel_weights(int64_t num_mel_bins, int64_t num_bins,
                                                  double sampling_rate_hz, double min_freq_hz,
                                                  double max_freq_hz, double* weights);

/* Writes 1 to is_empty[band] for each of these bands that no bin has a part in, so that its energy
 * is 0 whatever the signal, and 0 for the others: bands narrower than the distance of two bins, and
 * those beyond half of the sampling rate. Errors: as specfast_mel_weights. Allocates. */
SPECFAST_API specfast_status specfast_empty_bands(int64_t num_mel_bins, int64_t num_bins,
                                                  double sampling_rate_hz, double min_freq_hz,
                                                  double max_freq_hz, uint8_t* is_empty);

/* Does the same for the num_mel_bins bands of a configuration, whatever makes its filterbank. Only
 * for mode MEL. Allocates. */
SPECFAST_API specfast_status specfast_config_empty_bands(const specfast_config* config,
                                                         uint8_t* is_empty);

/* Writes the kernels that a plan of this configuration stands for: the scaled window times cos and
 * -sin of 2 pi n k / ((bins - 1) * 2). Each [frame_length][bins]; one that the mode does not have
 * may be NULL and is not written. Not for mode MEL. Allocates. */
SPECFAST_API specfast_status specfast_analytic_weights(const specfast_config* config,
                                                       double* real_kernel, double* imag_kernel);

/* ---- What rows stand for ------------------------------------------------------------------------
 */

/* Writes the frequency in Hz that each row of a frame stands for to hz[rows]: of a spectrogram the
 * frequencies of its fft_length / 2 + 1 bins, from 0 to sampling_rate_hz / 2, in mode STFT twice;
 * of mode MEL the peaks of its num_mel_bins bands, behind a NaN for the energy if there is one, and
 * all of them again for each derivative. Errors: SPECFAST_E_INVALID_ARGUMENT for cepstra and
 * mel_weights, of which none is known, and for a spectrogram whose configuration has no
 * sampling_rate_hz, which nothing else of it needs. Nothing is written then. Allocates. */
SPECFAST_API specfast_status specfast_frequencies(const specfast_config* config, double* hz);

/* Returns the place of a frequency in Hz, > -700, on the mel scale of the bands:
 * 1127 ln(1 + hz / 700). Bands are evenly spaced there: band b rises from edge b, has its peak at
 * edge b + 1 and falls to edge b + 2, where the num_mel_bins + 2 edges divide the range from
 * min_freq_hz to max_freq_hz. NaN and infinity propagate. */
SPECFAST_API double specfast_hertz_to_mel(double hz);

/* Returns the name of a mode (a specfast_mode) in lower case, "real" to "mel"; NULL for any other
 * number. Modes are numbered from 0 on without gaps. */
SPECFAST_API const char* specfast_mode_name(int32_t mode);

/* Returns the name of a level (a specfast_level) in lower case, "energy" or "decibel"; NULL for any
 * other number. Levels are numbered as modes are. */
SPECFAST_API const char* specfast_level_name(int32_t level);

#ifdef __cplusplus
}
#endif
#endif
