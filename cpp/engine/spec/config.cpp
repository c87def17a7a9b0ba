// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/config.h"

#include <sstream>
#include <string>

#include "engine/base/error.h"
#include "engine/spec/fields.h"
#include "engine/spec/modes.h"
#include "engine/spec/window.h"

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

template <typename T>
void require_in(const Range& range, const char* argument, T received) {
  // False for a NaN.
  const bool inside = double(received) >= range.low && double(received) <= range.high;
  require(inside, argument, received, range.description);
}

bool applies(Applies when, const Config& config) {
  switch (when) {
    case Applies::kWithoutFilterbank:
      return !config.mel;
    case Applies::kWithFilterbank:
      return config.mel;
    case Applies::kWithLevels:
      return config.level_op != LevelOp::kIdentity;
    case Applies::kWithTopDb:
      return config.top_db_scope != TopDbScope::kNone;
    default:
      return true;
  }
}

void check_band_edges(double min_freq_hz, double max_freq_hz) {
  require(max_freq_hz > min_freq_hz, "max_freq", max_freq_hz,
          "finite and greater than min_freq=" + std::to_string(min_freq_hz));
}

// Derives the lengths of the transform, and checks what fields must be to each other.
void relate(Config& config) {
  require(config.fft_length >= config.frame_length, "fft_length", config.fft_length,
          "at least frame_length");
  config.num_bins = config.fft_length / 2 + 1;
  config.dft_length = config.mel ? config.fft_length : (config.num_bins - 1) * 2;
  require(config.mel || config.dft_length >= 2, "fft_length", config.fft_length, "at least 2");
  if (config.mel) check_band_edges(config.min_freq_hz, config.max_freq_hz);
  if (config.level_op != LevelOp::kDecibel) return;
  require(config.min_power > 0 || config.ref_power != 0, "ref_power", config.ref_power,
          "different from 0 where min_power is 0");
}

}  // namespace

void check_mel_grid(int64_t num_mel_bins, int64_t num_bins, double sampling_rate_hz,
                    double min_freq_hz, double max_freq_hz) {
  require_in(kBands, "num_mel_bins", num_mel_bins);
  require_in(kLength, "num_spectrogram_bins", num_bins);
  require_in(kPositive, "sampling_rate", sampling_rate_hz);
  require_in(kNotNegative, "min_freq", min_freq_hz);
  require_in(kFinite, "max_freq", max_freq_hz);
  check_band_edges(min_freq_hz, max_freq_hz);
}

void init_config(specfast_config& config, specfast_mode mode) {
  config = specfast_config{};
  config.struct_size = sizeof(specfast_config);
  config.mode = mode;
  const bool mel = traits_of(*spectrum_op_of(mode)).has_filterbank;
  for_each_field([&config, mel](const auto& field) {
    config.*field.raw = mel ? field.default_of_mel : field.default_of_spectrogram;
  });
}

Config validate(const specfast_config& raw) {
  Config config{};
  const std::optional<SpectrumOp> op = spectrum_op_of(raw.mode);
  require(op.has_value(), "mode", raw.mode, "a specfast_mode");
  config.spectrum_op = *op;
  config.mel = traits_of(*op).has_filterbank;
  for_each_field([&raw, &config](const auto& field) {
    if (!applies(field.applies, config)) return;
    require_in(field.range, field.name, raw.*field.raw);
    auto& value = config.*field.value;
    value = std::decay_t<decltype(value)>(raw.*field.raw);
  });
  relate(config);
  if (raw.window) {
    require_pointer("window", raw.window);
    config.window.assign(raw.window, raw.window + raw.frame_length);
    const double norm = window_divisor(config.window, config.scaling);
    require(norm != 0, "norm of the window", norm,
            "different from 0 with scaling density or spectrum, which divides by it");
  }
  return config;
}

}  // namespace specfast::engine
