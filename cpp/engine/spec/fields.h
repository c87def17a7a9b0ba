// SPDX-License-Identifier: BSD-3-Clause
// The one list of a configuration's fields. Defaults, checks and the fingerprint go through it: a
// new field is a line here, a member of specfast_config and one of Config.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/spec/config.h"

namespace specfast::engine {

// The configurations in which a field has a meaning. Elsewhere it is not read, and 0 in Config.
enum class Applies {
  kAlways,
  kWithoutFilterbank,
  kWithFilterbank,
  kWithLevels,
  kWithTopDb,
  kWithPadMode,
  kWithSides,
  kWithEnergy,
  kWithPreemphasis,
  kWithCepstra,
  kWithNormalization,
  kWithPcen,
  kWithDeltas
};

struct Range {
  double low, high;
  const char* description;
  // The smallest magnitude but 0.
  double smallest = 0;
};

template <typename Raw, typename Value>
struct Field {
  const char* name;  // as messages call it
  Raw specfast_config::* raw;
  Value Config::* value;
  Applies applies;
  Raw default_of_spectrogram, default_of_mel;
  Range range;
};
template <typename Raw, typename Value>
Field(const char*, Raw specfast_config::*, Value Config::*, Applies, Raw, Raw, Range)
    -> Field<Raw, Value>;

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kSmallest = std::numeric_limits<double>::denorm_min();
constexpr Range kLength = {1, double(kMaxLength), "between 1 and 134217728"};
static_assert(kMaxLength == 134217728);
constexpr Range kCount = {0, double(kMaxLength), "between 0 and 134217728"};
constexpr Range kFlag = {0, 1, "0 or 1"};
constexpr Range kBands = {1, 1 << 20, "between 1 and 1048576"};
constexpr Range kFinite = {-kLargest, kLargest, "finite"};
constexpr Range kPositive = {kSmallest, kLargest, "finite and positive"};
constexpr Range kNotNegative = {0, kLargest, "finite and not negative"};
// Numbers that float32 holds with all their digits, also when they are squared in part.
constexpr Range kModest = {-1e30, 1e30, "between -1e30 and 1e30"};
constexpr Range kModestNotNegative = {0, 1e30, "between 0 and 1e30"};
// What is added to keep a number away from 0: in float32, a smaller one would be 0 or lose digits.
constexpr Range kAddend = {0, 1e30, "0, or between 2^-126 and 1e30", 0x1p-126};
constexpr Range kModestPositive = {1e-30, 1e30, "between 1e-30 and 1e30"};
constexpr Range kGain = {1e-15, 1e15, "between 1e-15 and 1e15"};

// How many fields every fingerprint holds, in their order. Append to the list: saved streams depend
// on places in it.
constexpr int kNumFirstFields = 17;

// Calls visit(field) for every field but the mode and the window.
template <typename Visit>
void for_each_field(const Visit& visit) {
  using Raw = specfast_config;
  constexpr Applies kAlways = Applies::kAlways, kMel = Applies::kWithFilterbank;
  const auto int32 = [](auto number) { return int32_t(number); };
  const auto int64 = [](auto number) { return int64_t(number); };

  visit(Field{"dtype", &Raw::dtype, &Config::precision, kAlways, int32(SPECFAST_FLOAT32),
              int32(SPECFAST_FLOAT32),
              Range{0, double(Precision::kFloat64), "SPECFAST_FLOAT32 or SPECFAST_FLOAT64"}});
  visit(Field{"padding", &Raw::padding, &Config::padding, kAlways, int32(SPECFAST_PADDING_VALID),
              int32(SPECFAST_PADDING_CENTER),
              Range{0, double(Padding::kHops), "a specfast_padding"}});
  visit(Field{"scaling", &Raw::scaling, &Config::scaling, kAlways, int32(SPECFAST_SCALING_DENSITY),
              int32(SPECFAST_SCALING_NONE),
              Range{0, double(Scaling::kSpectrum), "a specfast_scaling"}});
  visit(Field{"frame_length", &Raw::frame_length, &Config::frame_length, kAlways, int64(256),
              int64(2048), kLength});
  visit(Field{"hop", &Raw::hop, &Config::hop, kAlways, int64(128), int64(512), kLength});
  visit(Field{"fft_length", &Raw::fft_length, &Config::fft_length, kAlways, int64(256), int64(2048),
              kLength});
  visit(Field{"epsilon", &Raw::epsilon, &Config::epsilon, Applies::kWithoutFilterbank, 1e-7, 1e-7,
              Range{0, 1e15, "between 0 and 1e15"}});

  visit(Field{"num_mel_bins", &Raw::num_mel_bins, &Config::num_mel_bins, kMel, int64(0), int64(128),
              kBands});
  visit(Field{"sampling_rate", &Raw::sampling_rate_hz, &Config::sampling_rate_hz, kMel, 0.0,
              16000.0, kPositive});
  visit(Field{"min_freq", &Raw::min_freq_hz, &Config::min_freq_hz, kMel, 0.0, 20.0, kNotNegative});
  visit(Field{"max_freq", &Raw::max_freq_hz, &Config::max_freq_hz, kMel, 0.0, 8000.0, kFinite});
  visit(Field{"mag_exp", &Raw::mag_exp, &Config::mag_exp, kMel, 0.0, 2.0, kFinite});
  visit(Field{"level", &Raw::level, &Config::level, kMel, int32(SPECFAST_LEVEL_ENERGY),
              int32(SPECFAST_LEVEL_DECIBEL), Range{0, kNumLevels - 1, "a specfast_level"}});
  visit(Field{"min_power", &Raw::min_power, &Config::min_power, Applies::kWithLevels, 0.0, 1e-10,
              kNotNegative});
  visit(Field{"ref_power", &Raw::ref_power, &Config::ref_power, Applies::kWithLevels, 0.0, 1.0,
              kFinite});
  visit(Field{"top_db_scope", &Raw::top_db_scope, &Config::top_db_scope, Applies::kWithLevels,
              int32(SPECFAST_TOP_DB_NONE), int32(SPECFAST_TOP_DB_BATCH),
              Range{0, double(TopDbScope::kClip), "a specfast_top_db_scope"}});
  visit(
      Field{"top_db", &Raw::top_db, &Config::top_db, Applies::kWithTopDb, 0.0, 80.0, kNotNegative});

  // The fields so far are in every fingerprint; what follows only where it is not the default.
  visit(Field{"pad_mode", &Raw::pad_mode, &Config::pad_mode, Applies::kWithPadMode,
              int32(SPECFAST_PAD_REFLECT), int32(SPECFAST_PAD_REFLECT),
              Range{0, double(PadMode::kSymmetric), "a specfast_pad_mode"}});
  visit(Field{"pad_length", &Raw::pad_length, &Config::pad_length, Applies::kWithSides, int64(0),
              int64(0), kCount});
  visit(Field{"frame_span", &Raw::frame_span, &Config::frame_span, kAlways, int64(0), int64(0),
              kCount});
  visit(Field{"drop_frames", &Raw::drop_frames, &Config::drop_frames, kAlways, int64(0), int64(0),
              kCount});
  visit(Field{"masked_frames", &Raw::masked_frames, &Config::masked_frames, kAlways, int64(0),
              int64(0), kCount});
  visit(Field{"pad_value", &Raw::pad_value, &Config::pad_value, kAlways, 0.0, 0.0, kModest});
  visit(Field{"input_gain", &Raw::input_gain, &Config::input_gain, kAlways, 1.0, 1.0, kGain});
  visit(Field{"remove_dc", &Raw::remove_dc, &Config::remove_dc, kMel, int32(0), int32(0), kFlag});
  visit(Field{"energy", &Raw::energy, &Config::energy, kMel, int32(SPECFAST_ENERGY_NONE),
              int32(SPECFAST_ENERGY_NONE),
              Range{0, double(FrameEnergy::kWindowed), "a specfast_energy"}});
  visit(Field{"energy_floor", &Raw::energy_floor, &Config::energy_floor, Applies::kWithEnergy, 0.0,
              0.0, kModestNotNegative});
  visit(Field{"preemphasis_rule", &Raw::preemphasis_rule, &Config::preemphasis_rule, kMel,
              int32(SPECFAST_PREEMPHASIS_NONE), int32(SPECFAST_PREEMPHASIS_NONE),
              Range{0, double(Preemphasis::kSignal), "a specfast_preemphasis"}});
  visit(Field{"preemphasis", &Raw::preemphasis, &Config::preemphasis, Applies::kWithPreemphasis,
              0.0, 0.0, Range{0, 1, "between 0 and 1"}});
  visit(Field{"power_offset", &Raw::power_offset, &Config::power_offset, kMel, 0.0, 0.0, kAddend});
  visit(Field{"mel_scale", &Raw::mel_scale, &Config::mel_scale, kMel, int32(SPECFAST_MEL_HTK),
              int32(SPECFAST_MEL_HTK),
              Range{0, double(MelScale::kSlaney), "a specfast_mel_scale"}});
  visit(Field{"mel_triangles", &Raw::mel_triangles, &Config::mel_triangles, kMel,
              int32(SPECFAST_TRIANGLES_IN_MEL), int32(SPECFAST_TRIANGLES_IN_MEL),
              Range{0, double(MelTriangles::kInHertz), "a specfast_mel_triangles"}});
  visit(Field{"mel_norm", &Raw::mel_norm, &Config::mel_norm, kMel, int32(SPECFAST_MEL_NORM_NONE),
              int32(SPECFAST_MEL_NORM_NONE),
              Range{0, double(MelNorm::kArea), "a specfast_mel_norm"}});
  visit(Field{"num_cepstra", &Raw::num_cepstra, &Config::num_cepstra, kMel, int64(0), int64(0),
              Range{0, 1 << 20, "between 0 and num_mel_bins"}});
  visit(Field{"dct_is_orthonormal", &Raw::dct_is_orthonormal, &Config::dct_is_orthonormal,
              Applies::kWithCepstra, int32(1), int32(1), kFlag});
  visit(Field{"lifter", &Raw::lifter, &Config::lifter, kMel, 0.0, 0.0, kModestNotNegative});
  visit(Field{"normalization", &Raw::normalization, &Config::normalization, kMel,
              int32(SPECFAST_NORMALIZATION_NONE), int32(SPECFAST_NORMALIZATION_NONE),
              Range{0, double(Normalization::kVariance), "a specfast_normalization"}});
  visit(Field{"normalization_ddof", &Raw::normalization_ddof, &Config::normalization_ddof,
              Applies::kWithNormalization, int64(0), int64(1), kCount});
  visit(Field{"normalization_epsilon", &Raw::normalization_epsilon, &Config::normalization_epsilon,
              Applies::kWithNormalization, 0.0, 0.0, kAddend});
  visit(Field{"pcen", &Raw::pcen, &Config::pcen, kMel, int32(0), int32(0), kFlag});
  visit(Field{"pcen_gain", &Raw::pcen_gain, &Config::pcen_gain, Applies::kWithPcen, 0.0, 0.98,
              kModestNotNegative});
  visit(Field{"pcen_bias", &Raw::pcen_bias, &Config::pcen_bias, Applies::kWithPcen, 0.0, 2.0,
              kModestPositive});
  visit(Field{"pcen_power", &Raw::pcen_power, &Config::pcen_power, Applies::kWithPcen, 0.0, 0.5,
              kModestPositive});
  visit(Field{"pcen_smoothing", &Raw::pcen_smoothing, &Config::pcen_smoothing, Applies::kWithPcen,
              0.0, 0.025, Range{0, 1, "between 0 and 1"}});
  visit(Field{"pcen_epsilon", &Raw::pcen_epsilon, &Config::pcen_epsilon, Applies::kWithPcen, 0.0,
              1e-6, kModestPositive});
  visit(Field{"delta_order", &Raw::delta_order, &Config::delta_order, kMel, int32(0), int32(0),
              Range{0, 2, "between 0 and 2"}});
  visit(Field{"delta_window", &Raw::delta_window, &Config::delta_window, Applies::kWithDeltas,
              int64(0), int64(2), Range{1, 1000, "between 1 and 1000"}});
}

}  // namespace specfast::engine
