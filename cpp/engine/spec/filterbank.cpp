// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/filterbank.h"

#include <algorithm>
#include <cstddef>

#include "engine/spec/mel_scale.h"

namespace specfast::engine {
namespace {

// The axis on which the sides of triangles are straight.
class Axis {
 public:
  explicit Axis(const MelGrid& grid)
      : grid_(grid),
        in_mel_(grid.triangles == MelTriangles::kInMel),
        low_(to_scale(grid.scale, grid.min_freq_hz)),
        high_(to_scale(grid.scale, grid.max_freq_hz)),
        width_((high_ - low_) / double(grid.num_bands + 1)) {}

  double edge(int64_t index) const { return in_mel_ ? edge_mel(index) : edge_hz(index); }
  double edge_hz(int64_t index) const {
    // The ends are what the caller gave, with no rounding.
    if (index == 0) return grid_.min_freq_hz;
    if (index == grid_.num_bands + 1) return grid_.max_freq_hz;
    return from_scale(grid_.scale, edge_mel(index));
  }
  double of_bin(int64_t bin) const {
    const double hz =
        grid_.sampling_rate_hz / 2 * double(bin) / double(std::max<int64_t>(grid_.num_bins - 1, 1));
    return in_mel_ ? to_scale(grid_.scale, hz) : hz;
  }

 private:
  double edge_mel(int64_t index) const {
    return index == grid_.num_bands + 1 ? high_ : low_ + width_ * double(index);
  }

  const MelGrid& grid_;
  bool in_mel_;
  double low_, high_, width_;
};

// Calls body(weight) for each bin of a band, on its rising and on its falling side.
template <typename Bank, typename Body>
void for_each_weight(Bank& bank, int64_t band, const Body& body) {
  for (int64_t side = 0; side < 2; ++side) {
    const std::size_t interval = std::size_t(band + side);
    for (int64_t bin = bank.interval_begin[interval]; bin < bank.interval_begin[interval + 1];
         ++bin)
      body(bank.weights[2 * std::size_t(bin) + std::size_t(side)]);
  }
}

void normalize(const MelGrid& grid, const Axis& axis, Filterbank& bank) {
  if (grid.norm == MelNorm::kNone) return;
  for (int64_t band = 0; band < grid.num_bands; ++band) {
    double divisor = 0;
    if (grid.norm == MelNorm::kSlaney) {
      divisor = (axis.edge_hz(band + 2) - axis.edge_hz(band)) / 2;
    } else {
      for_each_weight(bank, band, [&](double weight) { divisor += weight; });
      if (divisor == 0) continue;
    }
    for_each_weight(bank, band, [&](double& weight) { weight /= divisor; });
  }
}

}  // namespace

bool Filterbank::is_empty(int64_t band) const {
  bool is_empty = true;
  for_each_weight(*this, band, [&](double weight) { is_empty = is_empty && weight == 0; });
  return is_empty;
}

std::vector<double> band_peaks(const MelGrid& grid) {
  const Axis axis(grid);
  std::vector<double> peaks;
  peaks.reserve(std::size_t(grid.num_bands));
  for (int64_t band = 0; band < grid.num_bands; ++band) peaks.push_back(axis.edge_hz(band + 1));
  return peaks;
}

Filterbank make_filterbank(const MelGrid& grid) {
  const Axis axis(grid);
  Filterbank bank;
  bank.interval_begin.resize(std::size_t(grid.num_bands) + 2);
  bank.weights.assign(2 * std::size_t(grid.num_bins), 0.0);

  int64_t bin = 1;
  while (bin < grid.num_bins && axis.of_bin(bin) < axis.edge(0)) ++bin;
  bank.interval_begin[0] = int32_t(bin);
  for (int64_t interval = 0; interval <= grid.num_bands; ++interval) {
    const double begin = axis.edge(interval), end = axis.edge(interval + 1);
    for (; bin < grid.num_bins; ++bin) {
      const double place = axis.of_bin(bin);
      if (place >= end) break;
      bank.weights[2 * std::size_t(bin)] = (place - begin) / (end - begin);
      bank.weights[2 * std::size_t(bin) + 1] = (end - place) / (end - begin);
    }
    bank.interval_begin[std::size_t(interval) + 1] = int32_t(bin);
  }
  normalize(grid, axis, bank);
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
