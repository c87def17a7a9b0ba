// SPDX-License-Identifier: BSD-3-Clause
// The one list of a configuration's fields. Defaults, checks and the fingerprint go through it: a
// new field is a line here, a member of specfast_config and one of Config.
#pragma once

#include <cstdint>
#include <limits>

#include "engine/spec/config.h"

namespace specfast::engine {

// The configurations in which a field has a meaning. Elsewhere it is not read, and 0 in Config.
enum class Applies { kAlways, kWithoutFilterbank, kWithFilterbank, kWithLevels, kWithTopDb };

struct Range {
  double low, high;
  const char* description;
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
constexpr Range kBands = {1, 1 << 20, "between 1 and 1048576"};
constexpr Range kFinite = {-kLargest, kLargest, "finite"};
constexpr Range kPositive = {kSmallest, kLargest, "finite and positive"};
constexpr Range kNotNegative = {0, kLargest, "finite and not negative"};

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
              Range{0, double(Padding::kCenter), "a specfast_padding"}});
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
  visit(Field{"level", &Raw::level, &Config::level_op, kMel, int32(SPECFAST_LEVEL_ENERGY),
              int32(SPECFAST_LEVEL_DECIBEL), Range{0, kNumLevelOps - 1, "a specfast_level"}});
  visit(Field{"min_power", &Raw::min_power, &Config::min_power, Applies::kWithLevels, 0.0, 1e-10,
              kNotNegative});
  visit(Field{"ref_power", &Raw::ref_power, &Config::ref_power, Applies::kWithLevels, 0.0, 1.0,
              kFinite});
  visit(Field{"top_db_scope", &Raw::top_db_scope, &Config::top_db_scope, Applies::kWithLevels,
              int32(SPECFAST_TOP_DB_NONE), int32(SPECFAST_TOP_DB_BATCH),
              Range{0, double(TopDbScope::kClip), "a specfast_top_db_scope"}});
  visit(
      Field{"top_db", &Raw::top_db, &Config::top_db, Applies::kWithTopDb, 0.0, 80.0, kNotNegative});
}

}  // namespace specfast::engine
