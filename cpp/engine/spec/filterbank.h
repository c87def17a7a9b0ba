// SPDX-License-Identifier: BSD-3-Clause
// The mel filterbank: triangles whose edges are evenly spaced on a scale of mel_scale.h.
#pragma once

#include <cstdint>
#include <vector>

#include "seam/types.h"

namespace specfast::engine {

// What makes a filterbank. `scale`, `triangles` and `norm` are Keras' by default.
struct MelGrid {
  int64_t num_bands, num_bins;
  double sampling_rate_hz, min_freq_hz, max_freq_hz;
  MelScale scale = MelScale::kHtk;
  MelTriangles triangles = MelTriangles::kInMel;
  MelNorm norm = MelNorm::kNone;
};

// num_bands + 2 edges, evenly spaced in mel, cut the axis into num_bands + 1 intervals. Band b
// rises over interval b and falls over interval b + 1.
struct Filterbank {
  int64_t num_bands() const {
    return interval_begin.empty() ? 0 : int64_t(interval_begin.size()) - 2;
  }

  // Returns whether no bin has a part in a band.
  bool is_empty(int64_t band) const;

  std::vector<int32_t> interval_begin;  // [num_bands + 2]: first bin at or above each edge
  std::vector<double> weights;  // [num_bins][2]: of a bin in the band that rises over its interval,
                                // and in the one that falls
};

// Returns the frequency in Hz at which each band has its peak: band b at edge b + 1.
std::vector<double> band_peaks(const MelGrid& grid);

// The bin of frequency 0 lies at or below the lowest edge, and so is in no band.
Filterbank make_filterbank(const MelGrid& grid);

// weights[bin * num_bands + band]
void dense_weights(const Filterbank& filterbank, int64_t num_bands, int64_t num_bins,
                   double* weights);

}  // namespace specfast::engine
