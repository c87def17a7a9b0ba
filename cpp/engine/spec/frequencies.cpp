// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/frequencies.h"

#include <cmath>
#include <limits>
#include <string>

#include "engine/base/error.h"
#include "engine/spec/mel_scale.h"
#include "engine/spec/modes.h"

namespace specfast::engine {
namespace {

// Band b rises from edge b, has its peak at edge b + 1 and falls to edge b + 2.
std::vector<double> band_peaks(const Config& config) {
  const double low = to_scale(config.mel_scale, config.min_freq_hz);
  const double high = to_scale(config.mel_scale, config.max_freq_hz);
  const double width = (high - low) / double(config.num_mel_bins + 1);
  std::vector<double> peaks;
  peaks.reserve(std::size_t(config.num_mel_bins));
  for (int64_t edge = 1; edge <= config.num_mel_bins; ++edge)
    peaks.push_back(from_scale(config.mel_scale, double(edge) * width + low));
  return peaks;
}

std::vector<double> mel_rows(const Config& config) {
  if (!config.mel_weights.empty()) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "mel_weights must be NULL: what frequencies they stand for is not known");
  }
  if (config.num_cepstra > 0) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "num_cepstra must be 0: cepstra have no frequencies, received num_cepstra=" +
                    std::to_string(config.num_cepstra));
  }
  std::vector<double> rows = band_peaks(config);
  if (config.energy != FrameEnergy::kNone)
    rows.insert(rows.begin(), std::numeric_limits<double>::quiet_NaN());
  const std::vector<double> statics = rows;
  for (int32_t order = 0; order < config.delta_order; ++order)
    rows.insert(rows.end(), statics.begin(), statics.end());
  return rows;
}

}  // namespace

std::vector<double> row_frequencies(const Config& config, double sampling_rate_hz) {
  if (config.mel) return mel_rows(config);
  if (!std::isfinite(sampling_rate_hz) || sampling_rate_hz <= 0) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "sampling_rate must be finite and positive, received sampling_rate=" +
                    std::to_string(sampling_rate_hz));
  }
  const double width = sampling_rate_hz / 2 / double(config.num_bins - 1);
  const int64_t num_rows = config.num_bins * traits_of(config.spectrum_op).rows_per_bin;
  std::vector<double> frequencies(static_cast<std::size_t>(num_rows));
  for (int64_t row = 0; row < num_rows; ++row) {
    const int64_t bin = row % config.num_bins;
    // The last bin is the Nyquist frequency, with no rounding.
    frequencies[std::size_t(row)] =
        bin == config.num_bins - 1 ? sampling_rate_hz / 2 : double(bin) * width;
  }
  return frequencies;
}

}  // namespace specfast::engine
