// SPDX-License-Identifier: BSD-3-Clause
// Validated parameters; the only checks of arguments in C++.
#pragma once

#include <vector>

#include "seam/types.h"
#include "specfast/specfast.h"

namespace specfast::engine {

// Lengths beyond this are refused: no audio front end needs them, and sizes derived from them stay
// far from overflow.
constexpr int64_t kMaxLength = int64_t(1) << 27;

struct Config {
  Precision precision;
  SpectrumOp spectrum_op;
  int64_t frame_length;
  int64_t hop;
  int64_t fft_length;  // as given
  int64_t dft_length;  // points of the transform
  int64_t num_bins;
  Padding padding;
  Scaling scaling;
  std::vector<double> window;  // empty: none
  double epsilon;

  bool mel;
  int64_t num_mel_bins;
  double sampling_rate_hz;
  double min_freq_hz;
  double max_freq_hz;
  double mag_exp;
  LevelOp level_op;
  TopDbScope top_db_scope;
  double top_db;
  double min_power;
  double ref_power;
};

// Fills `config` with the defaults of a mode: those of Keras' layers.
void init_config(specfast_config& config, specfast_mode mode);

// Checks every field and derives the lengths of the transform. Throws Error naming the field.
Config validate(const specfast_config& raw);

// Throws Error unless these can make a filterbank.
void check_mel_grid(int64_t num_mel_bins, int64_t num_bins, double sampling_rate_hz,
                    double min_freq_hz, double max_freq_hz);

}  // namespace specfast::engine
