// SPDX-License-Identifier: BSD-3-Clause
// The numbers that a configuration stands for, in double precision. A recipe is derived once for
// all backends; each makes its own tables of it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/spec/config.h"
#include "engine/spec/filterbank.h"
#include "seam/types.h"

namespace specfast::engine {

struct Recipe {
  // The sample of the transform that is the first of a frame, for an inverse; else 0.
  int64_t phase_origin;
  // [frame_length]: the window divided by what the scaling asks for; ones without a window.
  std::vector<double> window;
  // The smallest power that enters the square root or the logarithm of a spectrogram.
  double power_floor;

  // Empty without a filterbank, like everything below.
  Filterbank filterbank;
  std::vector<double> dense_filterbank;  // [num_bins][num_bands] in its place, or empty
  PowerLaw power_law;
  double half_exponent;  // kGeneral and kOffset raise the power to it
  double power_offset;
  LevelOp level_op;
  double level_addend, min_power;  // one of them is 0
  double reference_level;          // that is subtracted from every level
  // Returns whether no bin has a part in a band.
  bool is_empty_band(int64_t band) const;

  std::vector<double> cosines;  // [num_cepstra][num_bands], liftered; empty without cepstra
};

// Derives the recipe of a configuration that still has its window.
Recipe make_recipe(const Config& config);

}  // namespace specfast::engine
