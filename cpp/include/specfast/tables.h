/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables from which plans are made, for programs that need them by themselves: windows, filterbank
 * weights, kernels. All in double precision, written to contiguous memory of the caller that
 * overlaps no other argument and is aligned to double. Functions may be called by any number of
 * threads at once.
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
 * for the symmetric one. Names are SciPy's that need no parameter, see specfast_window_name.
 * Errors: SPECFAST_E_UNKNOWN_WINDOW. Allocates. */
SPECFAST_API specfast_status specfast_window(const char* name, int64_t length, int32_t periodic,
                                             double* values);

/* Returns name number `index` from 0 on, aliases included; NULL past the last. */
SPECFAST_API const char* specfast_window_name(size_t index);

/* ---- Filterbanks and kernels -------------------------------------------------------------------
 */

/* Writes the weights that turn num_bins spectrum bins, linearly spaced from 0 to sampling_rate_hz /
 * 2, into num_mel_bins bands: weights[bin * num_mel_bins + band]. Triangles that are linear in
 * mel(f) = 2595 log10(1 + f / 700), peak 1; the DC row is zero. Allocates. */
SPECFAST_API specfast_status specfast_mel_weights(int64_t num_mel_bins, int64_t num_bins,
                                                  double sampling_rate_hz, double min_freq_hz,
                                                  double max_freq_hz, double* weights);

/* Writes the kernels that a plan of this configuration stands for: the scaled window times cos and
 * -sin of 2 pi n k / ((bins - 1) * 2). Each [frame_length][bins]; one that the mode does not have
 * may be NULL and is not written. Not for mode MEL. Allocates. */
SPECFAST_API specfast_status specfast_analytic_weights(const specfast_config* config,
                                                       double* real_kernel, double* imag_kernel);

#ifdef __cplusplus
}
#endif
#endif
