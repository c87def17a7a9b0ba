// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/frequencies.h"

#include <cmath>
#include <limits>
#include <string>

#include "engine/base/error.h"
#include "engine/spec/filterbank.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

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
  std::vector<double> rows = band_peaks(mel_grid(config));
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
  const int64_t num_rows = num_static_rows(config);
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
