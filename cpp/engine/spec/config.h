// SPDX-License-Identifier: BSD-3-Clause
// Validated parameters; the only checks of arguments in C++.
#pragma once

#include <vector>

#include "engine/spec/filterbank.h"
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
  int32_t level;  // a specfast_level
  TopDbScope top_db_scope;
  double top_db;
  double min_power;
  double ref_power;

  PadMode pad_mode;
  int64_t pad_length;  // samples of padding in front of the first frame's span
  int64_t frame_span;
  int64_t drop_frames;
  int64_t masked_frames;
  double pad_value;
  double input_gain;

  bool remove_dc;
  FrameEnergy energy;
  double energy_floor;
  Preemphasis preemphasis_rule;
  double preemphasis;

  double power_offset;
  MelScale mel_scale;
  MelTriangles mel_triangles;
  MelNorm mel_norm;
  std::vector<double> mel_weights;  // [num_bins][num_mel_bins], or empty

  int64_t num_cepstra;
  bool dct_is_orthonormal;
  double lifter;
  std::vector<double> row_gain, row_offset;  // [rows], or empty
  Normalization normalization;
  int64_t normalization_ddof;
  double normalization_epsilon;
  bool pcen;
  double pcen_gain, pcen_bias, pcen_power, pcen_smoothing, pcen_epsilon;
  int32_t delta_order;
  int64_t delta_window;

  // The fields from kNumFirstFields on that differ from their defaults, by their places in the list
  // of fields.
  std::vector<std::pair<int32_t, double>> changed_fields;

  // Whether rows depend on the frame's samples by more than window and transform.
  bool conditions_frames() const {
    return remove_dc || energy != FrameEnergy::kNone || preemphasis_rule == Preemphasis::kFrame;
  }
  LevelOp level_op() const { return kLevels[level].op; }
  bool filters_signal() const { return preemphasis_rule == Preemphasis::kSignal; }
};

// Fills `config` with the defaults of a mode: those of Keras' layers.
void init_config(specfast_config& config, specfast_mode mode);

// Checks every field and derives the lengths of the transform. Throws Error naming the field.
Config validate(const specfast_config& raw);

// Returns what the filterbank of a configuration with bands is made of.
MelGrid mel_grid(const Config& config);

// Throws Error unless these can make a filterbank.
void check_mel_grid(const MelGrid& grid);

}  // namespace specfast::engine
