// SPDX-License-Identifier: BSD-3-Clause
// How far the values of two machines may be apart: the units of record.h.
#include <algorithm>
#include <cmath>

#include "handles.h"
#include "record.h"

namespace differential {
namespace {

constexpr std::int64_t kNumChanges = 32;

std::size_t place(std::int64_t index) { return static_cast<std::size_t>(index); }

// Of each frame, once for each of its values.
std::vector<double> peaks_of(const Result& result) {
  std::vector<double> peaks(result.values.size());
  const auto size = static_cast<std::size_t>(result.frame_size);
  for (std::size_t first = 0; first < peaks.size(); first += size) {
    double peak = 0;
    for (std::size_t i = first; i < first + size; ++i)
      peak = std::max(peak, std::abs(result.values[i]));
    std::fill_n(peaks.begin() + std::ptrdiff_t(first), size, peak);
  }
  return peaks;
}

// A single part of a spectrum may be small by chance where the spectrum is not.
std::vector<double> peaks_of_spectra(const Problem& problem, const Result& result) {
  if (problem.config.mode > SPECFAST_MODE_IMAG) return peaks_of(result);
  Problem whole = problem;
  whole.config.mode = SPECFAST_MODE_STFT;
  const std::vector<double> peaks = peaks_of(compute(whole, {problem.config.dtype})[0]);
  std::vector<double> of_parts;
  for (std::size_t i = 0; i < result.values.size(); ++i) of_parts.push_back(peaks[2 * i]);
  return of_parts;
}

// The rows of a mel spectrogram before the steps that add up numbers larger than their result.
class Rows {
 public:
  explicit Rows(const Problem& problem) : problem_(problem) {
    Problem before = problem;
    before.kind = Kind::kExecute;
    before.config.top_db_scope = SPECFAST_TOP_DB_NONE;
    before.config.normalization = SPECFAST_NORMALIZATION_NONE;
    before.config.delta_order = 0;
    rows_ = compute(before, {SPECFAST_FLOAT64})[0];
    before.config.num_cepstra = 0;
    before.config.lifter = 0;
    before.row_gain.clear();
    before.row_offset.clear();
    levels_ = compute(before, {SPECFAST_FLOAT64})[0];
    num_rows_ = rows_.frame_size;
    num_signals_ = problem.num_batches * problem.num_channels;
    num_frames_ = std::int64_t(rows_.values.size()) / (num_rows_ * num_signals_);
  }

  // The largest number in the sums that each value of a result is rounded in.
  std::vector<double> peaks() const {
    std::vector<double> peaks = peaks_of_frames();
    if (problem_.config.normalization != SPECFAST_NORMALIZATION_NONE) normalize(peaks);
    return with_derivatives(peaks);
  }

 private:
  // Of the sum of a DCT, times gain, plus offset.
  std::vector<double> peaks_of_frames() const {
    const specfast_config& config = problem_.config;
    const double dct =
        (config.dct_is_orthonormal ? 1 / std::sqrt(double(config.num_mel_bins)) : 2) *
        (1 + config.lifter / 2);
    const auto num_levels = levels_.frame_size;
    std::vector<double> peaks;
    for (std::int64_t frame = 0; frame < num_signals_ * num_frames_; ++frame) {
      double peak = 0, sum = 0;
      for (std::int64_t i = frame * num_levels; i < (frame + 1) * num_levels; ++i) {
        peak = std::max(peak, std::abs(levels_.values[place(i)]));
        sum += std::abs(levels_.values[place(i)]);
      }
      if (config.num_cepstra > 0) peak = std::max(peak, dct * sum);
      for (std::int64_t row = 0; row < num_rows_; ++row) {
        const bool has_gain = !problem_.row_gain.empty();
        peaks.push_back(has_gain ? peak * std::abs(problem_.row_gain[place(row)]) +
                                       std::abs(problem_.row_offset[place(row)])
                                 : peak);
      }
    }
    return peaks;
  }

  // What a row of a signal is divided by.
  double divisor(std::int64_t signal, std::int64_t row) const {
    const specfast_config& config = problem_.config;
    const std::int64_t count = std::max<std::int64_t>(num_frames_ - config.masked_frames, 1);
    const auto value = [&](std::int64_t frame) {
      return rows_.values[place((signal * num_frames_ + frame) * num_rows_ + row)];
    };
    double sum = 0, squares = 0;
    for (std::int64_t frame = 0; frame < count; ++frame) sum += value(frame);
    for (std::int64_t frame = 0; frame < count; ++frame) {
      const double difference = value(frame) - sum / double(count);
      squares += difference * difference;
    }
    const double variance = squares / double(count), epsilon = config.normalization_epsilon;
    return config.normalization == SPECFAST_NORMALIZATION_STD ? std::sqrt(variance) + epsilon
                                                              : std::sqrt(variance + epsilon);
  }

  void normalize(std::vector<double>& peaks) const {
    for (std::int64_t signal = 0; signal < num_signals_; ++signal) {
      for (std::int64_t row = 0; row < num_rows_ && num_frames_ > 0; ++row) {
        const double by = divisor(signal, row);
        for (std::int64_t frame = 0; frame < num_frames_; ++frame)
          peaks[place((signal * num_frames_ + frame) * num_rows_ + row)] /= by;
      }
    }
  }

  // A derivative has part in frames on both sides.
  std::vector<double> with_derivatives(const std::vector<double>& peaks) const {
    const std::int64_t order = problem_.config.delta_order;
    std::vector<double> of_all;
    for (std::int64_t frame = 0; frame < num_signals_ * num_frames_; ++frame) {
      const std::int64_t first = frame - frame % num_frames_, last = first + num_frames_ - 1;
      for (std::int64_t row = 0; row < (order + 1) * num_rows_; ++row) {
        const std::int64_t reach = row / num_rows_ * problem_.config.delta_window;
        double peak = 0;
        for (std::int64_t near = std::max(frame - reach, first);
             near <= std::min(frame + reach, last); ++near)
          peak = std::max(peak, peaks[place(near * num_rows_ + row % num_rows_)]);
        of_all.push_back(peak);
      }
    }
    return of_all;
  }

  const Problem& problem_;
  Result rows_, levels_;
  std::int64_t num_rows_, num_signals_, num_frames_;
};

// The largest number that each value is rounded beside.
std::vector<double> scales_of(const Problem& problem, const Result& result) {
  const specfast_config& config = problem.config;
  std::vector<double> scales =
      problem.is_linear() ? peaks_of_spectra(problem, result) : peaks_of(result);
  const bool has_rows = problem.kind == Kind::kExecute || problem.kind == Kind::kStream;
  if (config.mode == SPECFAST_MODE_MEL && has_rows) {
    const std::vector<double> peaks = Rows(problem).peaks();
    // PCEN's powers are exponentials of logarithms, whose rounding grows with their size.
    const double bias = config.pcen ? std::pow(config.pcen_bias, config.pcen_power) : 0;
    for (std::size_t i = 0; i < scales.size(); ++i)
      scales[i] = config.pcen ? 4 * std::max(scales[i], bias) : std::max(scales[i], peaks[i]);
  }
  // Each iteration rounds.
  for (double& scale : scales) scale *= double(problem.num_iterations);
  return scales;
}

// Rounding behind the first steps, such as preemphasis, is a change of the window.
Problem with_changed_window(const Problem& problem, const Variant& variant) {
  Problem changed = problem;
  if (problem.window.empty()) {
    changed.window.assign(place(problem.config.frame_length), 1);
    changed.config.scaling = SPECFAST_SCALING_NONE;
  }
  changed.window = varied(changed.window, variant, 255);
  return changed;
}

// The largest effects of changes of all that is given. They are doubled, because a frame's peak is
// more than twice the mean size of its bins, which these changes have.
std::vector<std::vector<double>> effects_of_changes(const Problem& problem) {
  const std::vector<Result> results = compute(problem, {SPECFAST_FLOAT64});
  std::vector<std::vector<double>> effects;
  for (const Result& result : results) effects.emplace_back(result.values.size());
  // A change of one unit of float64 would be lost in its rounding.
  const double size = std::max(eps_of(problem), 0x1p-30);
  for (std::int64_t change = 1; change <= kNumChanges; ++change) {
    const Variant variant{SPECFAST_FLOAT64, std::uint64_t(change), size};
    const std::vector<Result> changed = compute(with_changed_window(problem, variant), variant);
    for (std::size_t part = 0; part < results.size(); ++part) {
      for (std::size_t i = 0; i < effects[part].size(); ++i) {
        const double effect = distance(problem, changed[part].values[i], results[part].values[i]);
        effects[part][i] = std::max(effects[part][i], 2 * effect * (eps_of(problem) / size));
      }
    }
  }
  return effects;
}

}  // namespace

double eps_of(const Problem& problem) {
  return problem.config.dtype == SPECFAST_FLOAT32 ? 0x1p-23 : 0x1p-52;
}

double distance(const Problem& problem, double a, double b) {
  const double distance = std::abs(a - b);
  const bool is_angle = problem.config.mode == SPECFAST_MODE_ANGLE &&
                        (problem.kind == Kind::kExecute || problem.kind == Kind::kStream);
  constexpr double kTurn = 6.283185307179586;
  return is_angle ? std::min(distance, std::abs(kTurn - distance)) : distance;
}

Record record(const Problem& problem) {
  Record record{compute(problem, {problem.config.dtype}), {}};
  if (problem.kind == Kind::kTables) {
    for (const Result& result : record.results) record.units.emplace_back(result.values.size());
    return record;
  }
  if (!problem.is_linear()) record.units = effects_of_changes(problem);
  for (std::size_t part = 0; part < record.results.size(); ++part) {
    const Result& result = record.results[part];
    if (problem.is_linear()) record.units.emplace_back(result.values.size());
    const std::vector<double> scales = scales_of(problem, result);
    for (std::size_t i = 0; i < scales.size(); ++i) {
      record.units[part][i] += eps_of(problem) * scales[i];
      require(std::isfinite(record.units[part][i]), "not finite: " + problem.describe());
    }
  }
  return record;
}

}  // namespace differential
