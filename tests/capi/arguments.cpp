// SPDX-License-Identifier: BSD-3-Clause
#include "arguments.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fuzz {

std::int64_t Random::below(std::int64_t count) {
  if (num_bytes_ == 0) return std::int64_t(engine_() % std::uint64_t(count));
  std::uint64_t drawn = 0;
  for (std::uint64_t most = std::uint64_t(count) - 1; most > 0 && num_bytes_ > 0; most >>= 8) {
    drawn = drawn << 8 | *bytes_++;
    --num_bytes_;
  }
  return std::int64_t(drawn % std::uint64_t(count));
}

std::int64_t Random::bad_count() {
  constexpr std::int64_t kCounts[] = {0, -1, -7, INT64_MIN, INT64_MIN + 1, INT64_MAX};
  return of(kCounts);
}

double Random::bad_number() {
  constexpr double kNumbers[] = {std::numeric_limits<double>::quiet_NaN(),
                                 std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::infinity()};
  return of(kNumbers);
}

std::int32_t Random::bad_enum() {
  constexpr std::int32_t kEnums[] = {-1, 8, 100, INT32_MAX, INT32_MIN};
  return of(kEnums);
}

std::size_t Random::bad_size(std::size_t good) {
  const std::size_t sizes[] = {0, 1, good - 1, good + 1, SIZE_MAX, SIZE_MAX / 2};
  return of(sizes);
}

std::size_t bytes_of(std::int32_t dtype) {
  return dtype == SPECFAST_FLOAT64 ? 8 : dtype == SPECFAST_FLOAT32 ? 4 : 2;
}

template <typename T>
static bool have_same_bits(const void* values, const void* others, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += sizeof(T)) {
    T value, other;
    std::memcpy(&value, static_cast<const unsigned char*>(values) + at, sizeof(T));
    std::memcpy(&other, static_cast<const unsigned char*>(others) + at, sizeof(T));
    if (value != value && other != other) continue;
    if (std::memcmp(&value, &other, sizeof(T)) != 0) return false;
  }
  return true;
}

bool have_same_bits(std::int32_t dtype, const void* values, const void* others, std::size_t bytes) {
  return dtype == SPECFAST_FLOAT64 ? have_same_bits<double>(values, others, bytes)
                                   : have_same_bits<float>(values, others, bytes);
}

void fill(Random& random, void* values, std::int32_t dtype, std::int64_t count) {
  constexpr double kOdd[] = {0.0,
                             -0.0,
                             1e-40,
                             1e30,
                             std::numeric_limits<double>::infinity(),
                             -1e30,
                             1e-300,
                             std::numeric_limits<double>::quiet_NaN()};
  Random source = random.another();
  for (std::int64_t i = 0; i < count; ++i) {
    const double value =
        source.one_in(200) ? source.of(kOdd) : double(source.between(-1000, 1000)) / 100;
    if (dtype == SPECFAST_FLOAT64) static_cast<double*>(values)[i] = value;
    if (dtype == SPECFAST_FLOAT32) static_cast<float*>(values)[i] = float(value);
    if (dtype == SPECFAST_INT16)
      static_cast<std::int16_t*>(values)[i] = std::int16_t(source.between(-32768, 32767));
  }
}

std::vector<unsigned char> damaged(Random& random, std::vector<unsigned char> state) {
  if (random.one_in(3)) state.resize(std::size_t(random.below(std::int64_t(state.size()) + 9)));
  const std::int64_t size = std::int64_t(state.size());
  for (std::int64_t flips = random.between(1, 3); flips > 0 && size > 0; --flips) {
    const std::int64_t at =
        random.below(random.one_in(4) ? size : std::min<std::int64_t>(size, 140));
    state[std::size_t(at)] ^= static_cast<unsigned char>(random.between(1, 255));
  }
  // The position, and whether the signal is finished, are numbers of 8 bytes.
  constexpr std::int64_t kNumbers[] = {0, 1, -1, 2, 1000, INT64_MAX, INT64_MIN};
  const std::int64_t number = random.one_in(2) ? random.of(kNumbers) : random.below(5000);
  if (size >= 80 && random.one_in(2)) {
    const std::int64_t place = random.between(8, std::min<std::int64_t>(size / 8 - 1, 16));
    std::memcpy(state.data() + 8 * place, &number, sizeof(number));
  }
  state.shrink_to_fit();
  return state;
}

namespace {

// In float32 the small ones would be 0, or lose digits.
constexpr double kBadAddends[] = {-1.0, 1e-39, 1e-300};

bool has_pad_mode(const specfast_config& config) {
  return config.padding == SPECFAST_PADDING_CENTER || config.padding == SPECFAST_PADDING_SIDES ||
         config.padding == SPECFAST_PADDING_HOPS;
}

void spoil_padding(Random& random, specfast_config& config) {
  if (has_pad_mode(config) || random.one_in(2)) {
    if (config.padding == SPECFAST_PADDING_SIDES) config.padding = SPECFAST_PADDING_CENTER;
    config.pad_length = random.one_in(2) ? 3 : random.bad_count();
    if (config.pad_length == 0) config.pad_length = 1;
  } else {
    config.pad_mode = random.one_in(2) ? SPECFAST_PAD_EDGE : random.bad_enum();
    if (config.padding == SPECFAST_PADDING_VALID && random.one_in(2))
      config.pad_mode = SPECFAST_PAD_ZEROS;
  }
}

// Each case breaks one rule of specfast.h.
void spoil(Random& random, specfast_config& config, std::vector<double>& window) {
  const bool mel = config.mode == SPECFAST_MODE_MEL;
  switch (random.below(mel ? 31 : 13)) {
    case 0:
      config.struct_size = random.bad_size(sizeof(config));
      break;
    case 1:
      config.mode = random.bad_enum();
      break;
    case 2:
      config.dtype = random.one_in(2) ? SPECFAST_INT16 : random.bad_enum();
      break;
    case 3:
      config.frame_length = random.bad_count();
      break;
    case 4:
      config.hop = random.bad_count();
      break;
    case 5:
      config.fft_length = random.one_in(2) ? config.frame_length - 1 : random.bad_count();
      break;
    case 6:
      config.padding = random.bad_enum();
      break;
    case 7:
      if (random.one_in(2)) {
        config.scaling = random.bad_enum();
      } else {
        std::fill(window.begin(), window.end(), 0.0);
        config.window = window.data();
        config.scaling = std::int32_t(random.between(1, 2));
      }
      break;
    case 8:
      if (mel) {
        config.hop = (std::int64_t(1) << 27) + 1;
      } else {
        config.epsilon = random.one_in(2) ? -1.0 : random.bad_number();
      }
      break;
    case 9:
      config.input_gain = random.one_in(2) ? 0.0 : random.bad_number();
      break;
    case 10:
      (random.one_in(2) ? config.drop_frames : config.masked_frames) = -1 - random.below(3);
      break;
    case 11:
      if (random.one_in(2)) {
        config.frame_span =
            random.one_in(2) && config.frame_length > 1 ? config.frame_length - 1 : -1;
      } else {
        config.pad_value = random.bad_number();
      }
      break;
    case 12:
      spoil_padding(random, config);
      break;
    case 13:
      config.num_mel_bins = random.bad_count();
      break;
    case 14:
      config.sampling_rate_hz = random.one_in(2) ? 0.0 : random.bad_number();
      break;
    case 15:
      config.min_freq_hz = random.one_in(2) ? config.max_freq_hz : random.bad_number();
      break;
    case 16:
      config.max_freq_hz = random.one_in(2) ? -1.0 : random.bad_number();
      break;
    case 17:
      config.mag_exp = random.bad_number();
      break;
    case 18:
      config.level = random.bad_enum();
      break;
    case 19:
      config.level = 1;
      (random.one_in(2) ? config.min_power : config.ref_power) = random.bad_number();
      break;
    case 20:
      config.remove_dc = random.bad_enum();
      break;
    case 21:
      config.energy = random.bad_enum();
      break;
    case 22:
      config.preemphasis_rule = random.one_in(2) ? random.bad_enum() : SPECFAST_PREEMPHASIS_FRAME;
      config.preemphasis = random.one_in(2) ? 1.5 : random.bad_number();
      break;
    case 23:
      config.power_offset = random.one_in(2) ? random.of(kBadAddends) : random.bad_number();
      break;
    case 24:
      (random.one_in(2) ? config.mel_scale : config.mel_norm) = random.bad_enum();
      break;
    case 25:
      config.num_cepstra = random.one_in(2) ? config.num_mel_bins + 1 : -1;
      break;
    case 26:
      config.normalization = random.one_in(2) ? random.bad_enum() : SPECFAST_NORMALIZATION_STD;
      config.normalization_epsilon =
          random.one_in(2) ? random.of(kBadAddends) : random.bad_number();
      break;
    case 27:
      config.pcen = 1;
      config.pcen_bias = random.one_in(2) ? 0.0 : random.bad_number();
      break;
    case 28:
      config.delta_order = random.one_in(2) ? 3 : random.bad_enum();
      break;
    case 29:
      config.preemphasis_rule = SPECFAST_PREEMPHASIS_NONE;
      config.preemphasis = random.one_in(2) ? 0.97 : random.bad_number();
      break;
    default:
      config.level = 1;
      config.top_db_scope = random.one_in(2) ? SPECFAST_TOP_DB_BATCH : random.bad_enum();
      config.top_db = random.one_in(2) ? -1.0 : random.bad_number();
      break;
  }
}

// Where frames lie, in all modes.
void choose_frames(Random& random, specfast_config& config) {
  config.padding = std::int32_t(random.below(6));
  const bool is_zero =
      config.padding == SPECFAST_PADDING_SAME || config.padding == SPECFAST_PADDING_END;
  if (has_pad_mode(config)) config.pad_mode = std::int32_t(random.below(4));
  if (is_zero && random.one_in(2)) config.pad_mode = SPECFAST_PAD_ZEROS;
  if (config.padding == SPECFAST_PADDING_SIDES) config.pad_length = random.below(200);
  if (random.one_in(3)) {
    config.drop_frames = random.below(3);
    config.masked_frames = random.below(3);
    config.pad_value = -1.5;
  }
  if (config.mode == SPECFAST_MODE_MEL && random.one_in(3)) config.input_gain = 0.5;
  const bool may_span =
      config.padding == SPECFAST_PADDING_VALID || config.padding == SPECFAST_PADDING_SIDES;
  if (may_span && random.one_in(2)) config.frame_span = config.frame_length + random.below(30);
}

// What makes rows of a frame, for mode MEL.
void choose_rows(Random& random, specfast_config& config) {
  config.remove_dc = std::int32_t(random.below(2));
  config.energy = std::int32_t(random.below(3));
  config.energy_floor = random.one_in(2) ? 0.0 : 2.0;
  config.preemphasis_rule = std::int32_t(random.below(3));
  if (config.preemphasis_rule) config.preemphasis = double(random.below(100)) / 99;
  if (random.one_in(4)) config.power_offset = 0.25;
  config.mel_scale = std::int32_t(random.below(2));
  config.mel_triangles = std::int32_t(random.below(2));
  config.mel_norm = std::int32_t(random.below(3));
  if (random.one_in(3)) config.num_cepstra = random.between(1, config.num_mel_bins);
  config.dct_is_orthonormal = std::int32_t(random.below(2));
  if (config.num_cepstra && random.one_in(2)) config.lifter = 22;
  if (random.one_in(4)) {
    config.normalization = std::int32_t(random.between(1, 2));
    config.normalization_ddof = random.below(3);
    config.normalization_epsilon = 1e-5;
  }
  if (random.one_in(5)) {
    config.delta_order = std::int32_t(random.between(1, 2));
    config.delta_window = random.between(1, 4);
  }
  if (!random.one_in(6)) return;
  config.pcen = 1;
  config.level = SPECFAST_LEVEL_ENERGY;
  config.energy = SPECFAST_ENERGY_NONE;
  config.num_cepstra = 0;
  config.lifter = 0;
}

// Points gains, offsets and weights at numbers behind those of the window.
void choose_arrays(Random& random, specfast_config& config, std::vector<double>& values) {
  const std::size_t rows = std::size_t(static_rows_of(config));
  const std::size_t weights = std::size_t((config.fft_length / 2 + 1) * config.num_mel_bins);
  const std::size_t window = values.size();
  const bool has_window = config.window != nullptr;
  values.resize(window + 2 * rows + weights);
  Random source = random.another();
  for (std::size_t i = window; i < values.size(); ++i) values[i] = double(source.below(90)) / 40;
  if (has_window) config.window = values.data();
  if (!config.pcen && random.one_in(3)) config.row_gain = values.data() + window;
  if (!config.pcen && random.one_in(3)) config.row_offset = values.data() + window + rows;
  if (random.one_in(4)) config.mel_weights = values.data() + window + 2 * rows;
}

}  // namespace

std::int64_t static_rows_of(const specfast_config& config) {
  if (config.num_cepstra > 0) return config.num_cepstra;
  return config.num_mel_bins + (config.energy != SPECFAST_ENERGY_NONE);
}

bool clamps(const specfast_config& config) {
  return config.mode == SPECFAST_MODE_MEL && config.level != SPECFAST_LEVEL_ENERGY &&
         config.top_db_scope != SPECFAST_TOP_DB_NONE;
}

bool has_gradient(const specfast_config& config) {
  if (config.mode != SPECFAST_MODE_MEL) return true;
  if (config.pcen || config.delta_order > 0) return false;
  const bool has_rows = config.num_cepstra > 0 || config.energy || config.row_gain ||
                        config.row_offset || config.normalization;
  return !clamps(config) || !has_rows;
}

bool may_have_gradient(const specfast_config& config) {
  return has_gradient(config) || (clamps(config) && (config.row_gain || config.row_offset));
}

specfast_config plan_config(Random& random, std::vector<double>& window, bool* spoiled) {
  specfast_config config;
  specfast_config_init(&config, sizeof(config), std::int32_t(random.below(8)));
  constexpr std::int64_t kLengths[] = {2, 3, 5, 7, 8, 16, 24, 31, 40, 64, 97, 100, 127};
  config.dtype = std::int32_t(random.below(2));
  config.fft_length = random.of(kLengths);
  config.frame_length = random.between(1, config.fft_length);
  config.hop = random.one_in(6) ? random.between(1, 300) : random.between(1, config.frame_length);
  choose_frames(random, config);
  config.scaling = std::int32_t(random.below(3));
  if (random.one_in(40)) {  // valid, or too much memory
    constexpr std::int64_t kLong[] = {1021, 4096, 1 << 27};
    config.fft_length = random.of(kLong);
  }
  window.assign(std::size_t(config.frame_length), 0.0);
  Random source = random.another();
  for (double& value : window) value = double(source.between(1, 100)) / 64;
  if (!random.one_in(4)) config.window = window.data();
  if (config.mode == SPECFAST_MODE_MEL) {
    config.num_mel_bins = random.between(1, 12);
    constexpr double kExponents[] = {1, 2, 0.7, -1};
    config.mag_exp = random.of(kExponents);
    config.level = std::int32_t(random.below(7));
    config.top_db_scope = std::int32_t(random.below(3));
    config.top_db = double(random.below(60));
    if (random.one_in(2)) {
      choose_rows(random, config);
      if (config.fft_length < 1 << 20) choose_arrays(random, config, window);
    }
  }
  *spoiled = random.one_in(8);
  if (*spoiled) spoil(random, config, window);
  return config;
}

specfast_stream_config stream_config(Random& random, const specfast_config& plan, bool* spoiled) {
  specfast_stream_config config;
  specfast_stream_config_init(&config, sizeof(config));
  config.num_channels = random.between(1, 3);
  config.max_block = random.one_in(3) ? random.between(1, 8) : random.between(1, 400);
  const bool top_db = clamps(plan);
  if (top_db) {
    config.max_rule = random.one_in(2) ? SPECFAST_MAX_FIXED : SPECFAST_MAX_RUNNING;
    config.max_db = double(random.between(-50, 50));
  }
  const bool same = plan.padding == SPECFAST_PADDING_SAME;
  if (same) config.num_samples = random.between(1, 1000);
  const bool needs_all =
      plan.mode == SPECFAST_MODE_MEL &&
      (plan.normalization != SPECFAST_NORMALIZATION_NONE || plan.delta_order > 0);
  *spoiled = needs_all || random.one_in(6);
  if (!*spoiled || needs_all) return config;
  switch (random.below(6)) {
    case 0:
      config.struct_size = random.bad_size(sizeof(config));
      break;
    case 1:
      config.num_channels = random.one_in(2) ? 65537 : random.bad_count();
      break;
    case 2:
      config.max_block = random.bad_count();
      break;
    case 3:
      config.max_rule = random.one_in(2) ? random.bad_enum()
                        : top_db         ? SPECFAST_MAX_NONE
                                         : SPECFAST_MAX_RUNNING;
      break;
    case 4:
      config.num_samples = same ? -random.between(1, 100) : random.between(1, 100);
      break;
    default:
      if (top_db) {
        config.max_rule = SPECFAST_MAX_FIXED;
        config.max_db = random.one_in(2) ? 1e300 : random.bad_number();
      } else {
        config.struct_size = 0;
      }
      break;
  }
  return config;
}

}  // namespace fuzz
