// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/filterbank.h"

#include <algorithm>
#include <cstddef>

#include "engine/spec/mel_scale.h"

namespace specfast::engine {

bool Filterbank::is_empty(int64_t band) const {
  for (int64_t side = 0; side < 2; ++side) {
    const std::size_t interval = std::size_t(band + side);
    for (int64_t bin = interval_begin[interval]; bin < interval_begin[interval + 1]; ++bin) {
      if (weights[2 * std::size_t(bin) + std::size_t(side)] > 0) return false;
    }
  }
  return true;
}

Filterbank make_filterbank(int64_t num_bands, int64_t num_bins, double sampling_rate_hz,
                           double min_freq_hz, double max_freq_hz) {
  Filterbank bank;
  bank.interval_begin.resize(std::size_t(num_bands) + 2);
  bank.weights.assign(2 * std::size_t(num_bins), 0.0);

  const double low = mel_without_factor(min_freq_hz), high = mel_without_factor(max_freq_hz);
  const double width = (high - low) / double(num_bands + 1);
  const auto edge = [=](int64_t i) { return i == num_bands + 1 ? high : low + width * double(i); };
  const auto bin_mel = [=](int64_t bin) {
    return mel_without_factor(sampling_rate_hz / 2 * double(bin) /
                              double(std::max<int64_t>(num_bins - 1, 1)));
  };

  int64_t bin = 1;
  while (bin < num_bins && bin_mel(bin) < low) ++bin;
  bank.interval_begin[0] = int32_t(bin);
  for (int64_t interval = 0; interval <= num_bands; ++interval) {
    const double begin = edge(interval), end = edge(interval + 1);
    for (; bin < num_bins; ++bin) {
      const double mel = bin_mel(bin);
      if (mel >= end) break;
      bank.weights[2 * std::size_t(bin)] = (mel - begin) / (end - begin);
      bank.weights[2 * std::size_t(bin) + 1] = (end - mel) / (end - begin);
    }
    bank.interval_begin[std::size_t(interval) + 1] = int32_t(bin);
  }
  return bank;
}

void dense_weights(const Filterbank& filterbank, int64_t num_bands, int64_t num_bins,
                   double* weights) {
  std::fill_n(weights, num_bins * num_bands, 0.0);
  for (int64_t interval = 0; interval <= num_bands; ++interval) {
    const int32_t begin = filterbank.interval_begin[std::size_t(interval)];
    const int32_t end = filterbank.interval_begin[std::size_t(interval) + 1];
    for (int64_t bin = begin; bin < end; ++bin) {
      double* row = weights + bin * num_bands;
      const double* const weight = &filterbank.weights[2 * std::size_t(bin)];
      if (interval < num_bands) row[interval] = weight[0];
      if (interval > 0) row[interval - 1] = weight[1];
    }
  }
}

}  // namespace specfast::engine
