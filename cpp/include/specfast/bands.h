/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From the energies of bands back to the bins of a spectrum.
 *
 * Usage, with the energies of num_frames frames, each of num_mel_bins bands:
 *
 *     specfast_bands bands = {0};
 *     bands.struct_size = sizeof(bands);
 *     bands.energies = energies;
 *     bands.num_signals = 1;
 *     bands.num_frames = num_frames;
 *     bands.energy_frame_stride = num_mel_bins;
 *     bands.energy_band_stride = 1;
 *     bands.bins = bins;
 *     bands.bins_frame_stride = num_bins;
 *     bands.bins_bin_stride = 1;
 *     bands.num_iterations = 256;
 *     if (specfast_unmix_bands(plan, 0, &bands) != SPECFAST_OK) return 1;
 */
#ifndef SPECFAST_BANDS_H
#define SPECFAST_BANDS_H

#include "plan.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The arrays of one call, of the plan's dtype and aligned to it. Strides are in elements. */
typedef struct specfast_bands {
  /* sizeof(specfast_bands) */
  size_t struct_size;
  /* Only read: band b of frame t of signal i is element i * energy_signal_stride +
   * t * energy_frame_stride + b * energy_band_stride; strides may be zero or negative. */
  const void* energies;
  int64_t num_signals, num_frames;
  int64_t energy_signal_stride, energy_frame_stride, energy_band_stride;
  /* Written: fft_length / 2 + 1 bins of each frame; overlaps neither itself nor the energies. */
  void* bins;
  int64_t bins_signal_stride, bins_frame_stride, bins_bin_stride;
  /* 1 to 1000000. */
  int64_t num_iterations;
} specfast_bands;

/* Finds for every frame bins s >= 0 whose bands come nearest to the energies m: it minimises
 * || W^T s - m || with the filterbank W of the plan, by so many iterations of FISTA from zero. A
 * bin that is in no band is 0. What s is, the configuration says: with mag_exp 2 and power_offset 0
 * the power of a bin, with 1 its magnitude. Nothing else of the plan is looked at.
 *
 * Energies that a spectrum has are met to 1e-3 of || m || in 256 iterations by the usual
 * filterbanks; others, such as negative ones, as far as they can be. A frame with a NaN or an
 * infinity becomes NaN, no other. The result of a frame depends on nothing but its energies: not on
 * the number of threads, nor on other frames.
 *
 * num_threads: 0 means specfast_num_threads(). Errors: SPECFAST_E_INVALID_ARGUMENT for a plan
 * without a filterbank too. Thread: a plan may be shared. Allocates scratch: for each thread a tile
 * of frames. */
SPECFAST_API specfast_status specfast_unmix_bands(const specfast_plan* plan, int32_t num_threads,
                                                  const specfast_bands* bands);

#ifdef __cplusplus
}
#endif
#endif
