// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/config.h"

#include <cmath>
#include <sstream>
#include <string>

#include "engine/base/error.h"
#include "engine/spec/fields.h"
#include "engine/spec/geometry.h"
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
  const double value = double(received);
  // False for a NaN.
  const bool inside = value >= range.low && value <= range.high;
  const bool is_held = value == 0 || std::abs(value) >= range.smallest;
  require(inside && is_held, argument, received, range.description);
}

bool applies(Applies when, const Config& config) {
  switch (when) {
    case Applies::kWithoutFilterbank:
      return !config.mel;
    case Applies::kWithFilterbank:
      return config.mel;
    case Applies::kWithLevels:
      return config.level_op() != LevelOp::kIdentity;
    case Applies::kWithTopDb:
      return config.top_db_scope != TopDbScope::kNone;
    case Applies::kWithPadMode:
      return config.padding == Padding::kCenter || config.padding == Padding::kSides ||
             config.padding == Padding::kHops;
    case Applies::kWithEnergy:
      return config.energy != FrameEnergy::kNone;
    case Applies::kWithCepstra:
      return config.num_cepstra > 0;
    case Applies::kWithSides:
      return config.padding == Padding::kSides;
    case Applies::kWithPreemphasis:
      return config.preemphasis_rule != Preemphasis::kNone;
    case Applies::kWithPcen:
      return config.pcen;
    case Applies::kWithDeltas:
      return config.delta_order > 0;
    case Applies::kWithNormalization:
      return config.normalization != Normalization::kNone;
    default:
      return true;
  }
}

void check_band_edges(double min_freq_hz, double max_freq_hz) {
  require(max_freq_hz > min_freq_hz, "max_freq", max_freq_hz,
          "finite and greater than min_freq=" + std::to_string(min_freq_hz));
}

// Refuses what contradicts the padding or the rule that would use it. Other fields that have no
// meaning are not looked at.
void check_unused(const specfast_config& raw, const Config& config) {
  require(config.padding == Padding::kSides || raw.pad_length == 0, "pad_length", raw.pad_length,
          "0 without SPECFAST_PADDING_SIDES");
  const bool pads_zeros = config.padding == Padding::kSame || config.padding == Padding::kEnd;
  require(applies(Applies::kWithPadMode, config) || raw.pad_mode == SPECFAST_PAD_REFLECT ||
              (pads_zeros && raw.pad_mode == SPECFAST_PAD_ZEROS),
          "pad_mode", raw.pad_mode,
          pads_zeros ? "SPECFAST_PAD_ZEROS, or its default, with this padding"
                     : "its default, 0, with SPECFAST_PADDING_VALID");
  require(!config.mel || config.preemphasis_rule != Preemphasis::kNone || raw.preemphasis == 0,
          "preemphasis", raw.preemphasis, "0 without a preemphasis_rule");
}

// Puts the span that a padding implies in the place of 0, and zeros into paddings that hold nothing
// else.
void relate_frames(Config& config) {
  const bool is_whole = config.padding == Padding::kCenter || config.padding == Padding::kSides;
  const bool may_differ = config.padding == Padding::kValid || config.padding == Padding::kSides;
  const int64_t usual = is_whole ? config.fft_length : config.frame_length;
  if (config.frame_span == 0) config.frame_span = usual;
  require(config.frame_span >= config.frame_length, "frame_span", config.frame_span,
          "0 or at least frame_length");
  require(may_differ || config.frame_span == usual, "frame_span", config.frame_span,
          "0 with this padding");
  if (!applies(Applies::kWithPadMode, config)) config.pad_mode = PadMode::kZeros;
}

// Checks what rows behind levels must be to each other.
void relate_rows(const Config& config) {
  require(config.num_cepstra <= config.num_mel_bins, "num_cepstra", config.num_cepstra,
          "between 0 and num_mel_bins");
  require(config.num_cepstra > 0 || config.lifter == 0, "lifter", config.lifter,
          "0 without cepstra");
}

// Derives the lengths of the transform, and checks what fields must be to each other.
void relate(Config& config) {
  require(config.fft_length >= config.frame_length, "fft_length", config.fft_length,
          "at least frame_length");
  config.num_bins = config.fft_length / 2 + 1;
  config.dft_length = config.mel ? config.fft_length : (config.num_bins - 1) * 2;
  require(config.mel || config.dft_length >= 2, "fft_length", config.fft_length, "at least 2");
  if (config.mel) check_band_edges(config.min_freq_hz, config.max_freq_hz);
  relate_frames(config);
  if (!config.mel) return;
  relate_rows(config);
  if (config.level_op() == LevelOp::kIdentity) return;
  require(config.min_power > 0 || config.ref_power != 0, "ref_power", config.ref_power,
          "different from 0 where min_power is 0");
}

// Returns a copy of values in a range; none for NULL.
std::vector<double> checked_values(const char* name, const double* values, int64_t count,
                                   const Range& range) {
  if (!values) return {};
  require_pointer(name, values);
  for (int64_t i = 0; i < count; ++i) require_in(range, name, values[i]);
  return std::vector<double>(values, values + count);
}

// PCEN takes the place of what else is done to energies.
void relate_pcen(const Config& config) {
  const auto require_none = [&config](bool ok, const char* name) {
    require(!config.pcen || ok, "pcen", 1, std::string("0 with ") + name);
  };
  require_none(config.level_op() == LevelOp::kIdentity, "a level");
  require_none(config.energy == FrameEnergy::kNone, "an energy");
  require_none(config.num_cepstra == 0, "num_cepstra");
  require_none(config.row_gain.empty() && config.row_offset.empty(), "row_gain or row_offset");
}

}  // namespace

MelGrid mel_grid(const Config& config) {
  return {config.num_mel_bins, config.num_bins,  config.sampling_rate_hz, config.min_freq_hz,
          config.max_freq_hz,  config.mel_scale, config.mel_triangles,    config.mel_norm};
}

void check_mel_grid(const MelGrid& grid) {
  require_in(kBands, "num_mel_bins", grid.num_bands);
  require_in(kLength, "num_spectrogram_bins", grid.num_bins);
  require_in(kPositive, "sampling_rate", grid.sampling_rate_hz);
  require_in(kNotNegative, "min_freq", grid.min_freq_hz);
  require_in(kFinite, "max_freq", grid.max_freq_hz);
  check_band_edges(grid.min_freq_hz, grid.max_freq_hz);
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
  int32_t place = 0;
  for_each_field([&raw, &config, &place](const auto& field) {
    const int32_t own_place = place++;
    if (!applies(field.applies, config)) return;
    require_in(field.range, field.name, raw.*field.raw);
    auto& value = config.*field.value;
    value = std::decay_t<decltype(value)>(raw.*field.raw);
    const auto usual = config.mel ? field.default_of_mel : field.default_of_spectrogram;
    if (own_place >= kNumFirstFields && raw.*field.raw != usual)
      config.changed_fields.emplace_back(own_place, double(raw.*field.raw));
  });
  check_unused(raw, config);
  relate(config);
  if (raw.window) {
    require_pointer("window", raw.window);
    config.window.assign(raw.window, raw.window + raw.frame_length);
    const double norm = window_divisor(config.window, config.scaling);
    require(norm != 0, "norm of the window", norm,
            "different from 0 with scaling density or spectrum, which divides by it");
  }
  if (config.mel) {
    const int64_t num_rows = num_static_rows(config);
    config.row_gain = checked_values("row_gain", raw.row_gain, num_rows, kModest);
    config.row_offset = checked_values("row_offset", raw.row_offset, num_rows, kModest);
    config.mel_weights = checked_values("mel_weights", raw.mel_weights,
                                        config.num_bins * config.num_mel_bins, kModestNotNegative);
    relate_pcen(config);
  }
  return config;
}

}  // namespace specfast::engine
