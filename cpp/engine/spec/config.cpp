// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/config.h"

#include <cmath>
#include <sstream>

#include "engine/spec/modes.h"

namespace specfast::engine {
namespace {

template <typename T>
void require(bool ok, const char* argument, T received, const std::string& accepted) {
  if (ok) return;
  std::ostringstream message;
  message.precision(17);
  message << argument << " must be " << accepted << ", received " << argument << "=" << received;
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message.str());
}

void require_length(const char* argument, int64_t value) {
  require(value >= 1 && value <= kMaxLength, argument, value,
          "between 1 and " + std::to_string(kMaxLength));
}

template <typename Enum>
Enum to_enum(const char* argument, int32_t value, Enum last, const char* accepted) {
  require(value >= 0 && value <= int32_t(last), argument, value, accepted);
  return Enum(value);
}

void check_spectrogram(const specfast_config& raw, Config& config) {
  config.num_bins = raw.fft_length / 2 + 1;
  config.dft_length = (config.num_bins - 1) * 2;
  require(config.dft_length >= 2, "fft_length", raw.fft_length, "at least 2");
  require(raw.epsilon >= 0 && raw.epsilon <= 1e15, "epsilon", raw.epsilon, "between 0 and 1e15");
  config.epsilon = raw.epsilon;
}

void check_mel(const specfast_config& raw, Config& config) {
  config.num_bins = raw.fft_length / 2 + 1;
  config.dft_length = raw.fft_length;
  check_mel_grid(raw.num_mel_bins, config.num_bins, raw.sampling_rate_hz, raw.min_freq_hz,
                 raw.max_freq_hz);
  config.num_mel_bins = raw.num_mel_bins;
  config.sampling_rate_hz = raw.sampling_rate_hz;
  config.min_freq_hz = raw.min_freq_hz;
  config.max_freq_hz = raw.max_freq_hz;
  require(std::isfinite(raw.mag_exp), "mag_exp", raw.mag_exp, "finite");
  config.mag_exp = raw.mag_exp;
  require(raw.power_to_db == 0 || raw.power_to_db == 1, "power_to_db", raw.power_to_db, "0 or 1");
  if (!raw.power_to_db) return;

  config.level_op = LevelOp::kDecibel;
  require(std::isfinite(raw.min_power) && raw.min_power >= 0, "min_power", raw.min_power,
          "finite and not negative");
  config.min_power = raw.min_power;
  require(std::isfinite(raw.ref_power), "ref_power", raw.ref_power, "finite");
  require(raw.min_power > 0 || raw.ref_power != 0, "ref_power", raw.ref_power,
          "different from 0 where min_power is 0");
  config.ref_power = raw.ref_power;
  config.top_db_scope =
      to_enum("top_db_scope", raw.top_db_scope, TopDbScope::kClip, "a specfast_top_db_scope");
  if (config.top_db_scope == TopDbScope::kNone) return;
  require(std::isfinite(raw.top_db) && raw.top_db >= 0, "top_db", raw.top_db,
          "finite and not negative");
  config.top_db = raw.top_db;
}

}  // namespace

void check_mel_grid(int64_t num_mel_bins, int64_t num_bins, double sampling_rate_hz,
                    double min_freq_hz, double max_freq_hz) {
  constexpr int64_t kMaxBands = 1 << 20;
  require(num_mel_bins >= 1 && num_mel_bins <= kMaxBands, "num_mel_bins", num_mel_bins,
          "between 1 and " + std::to_string(kMaxBands));
  require_length("num_spectrogram_bins", num_bins);
  require(std::isfinite(sampling_rate_hz) && sampling_rate_hz > 0, "sampling_rate",
          sampling_rate_hz, "finite and positive");
  require(std::isfinite(min_freq_hz) && min_freq_hz >= 0, "min_freq", min_freq_hz,
          "finite and not negative");
  require(std::isfinite(max_freq_hz) && max_freq_hz > min_freq_hz, "max_freq", max_freq_hz,
          "finite and greater than min_freq=" + std::to_string(min_freq_hz));
}

void init_config(specfast_config& config, specfast_mode mode) {
  config = specfast_config{};
  config.struct_size = sizeof(specfast_config);
  config.mode = mode;
  config.dtype = SPECFAST_FLOAT32;
  config.epsilon = 1e-7;
  if (!traits_of(*spectrum_op_of(mode)).has_filterbank) {
    config.frame_length = 256;
    config.hop = 128;
    config.fft_length = 256;
    config.padding = SPECFAST_PADDING_VALID;
    config.scaling = SPECFAST_SCALING_DENSITY;
    return;
  }
  config.frame_length = 2048;
  config.hop = 512;
  config.fft_length = 2048;
  config.padding = SPECFAST_PADDING_CENTER;
  config.scaling = SPECFAST_SCALING_NONE;
  config.num_mel_bins = 128;
  config.sampling_rate_hz = 16000;
  config.min_freq_hz = 20;
  config.max_freq_hz = 8000;
  config.mag_exp = 2;
  config.power_to_db = 1;
  config.top_db_scope = SPECFAST_TOP_DB_BATCH;
  config.top_db = 80;
  config.min_power = 1e-10;
  config.ref_power = 1;
}

Config validate(const specfast_config& raw) {
  Config config{};
  const std::optional<SpectrumOp> op = spectrum_op_of(raw.mode);
  require(op.has_value(), "mode", raw.mode, "a specfast_mode");
  config.spectrum_op = *op;
  config.mel = traits_of(*op).has_filterbank;
  config.precision =
      to_enum("dtype", raw.dtype, Precision::kFloat64, "SPECFAST_FLOAT32 or SPECFAST_FLOAT64");
  config.padding = to_enum("padding", raw.padding, Padding::kCenter, "a specfast_padding");
  config.scaling = to_enum("scaling", raw.scaling, Scaling::kSpectrum, "a specfast_scaling");
  require_length("frame_length", raw.frame_length);
  require_length("hop", raw.hop);
  require_length("fft_length", raw.fft_length);
  require(raw.fft_length >= raw.frame_length, "fft_length", raw.fft_length,
          "at least frame_length");
  config.frame_length = raw.frame_length;
  config.hop = raw.hop;
  config.fft_length = raw.fft_length;
  if (raw.window) config.window.assign(raw.window, raw.window + raw.frame_length);
  if (config.mel) {
    check_mel(raw, config);
  } else {
    check_spectrogram(raw, config);
  }
  return config;
}

}  // namespace specfast::engine
