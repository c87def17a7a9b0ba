// SPDX-License-Identifier: BSD-3-Clause
// The kernels of every instruction set of this machine against the plainest ones: no value differs
// by more than an error of 4 eps of its frame's largest bin makes of it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "chosen_isa.h"
#include "common.h"

namespace {

using fuzz::Bytes;
using fuzz::Plan;
using fuzz::Random;
using fuzz::Signals;

constexpr double kEpsOfPeak = 4;

// Modest numbers, so that no power of them overflows or is subnormal.
void fill_modestly(Random& random, const Signals& signals) {
  Random source = random.another();
  const double scale = std::pow(10.0, double(random.between(-2, 2)));
  for (std::int64_t i = 0; i < signals.num_signals * signals.num_samples; ++i) {
    const double value = double(source.between(-1000, 1000)) / 1000 * scale;
    if (signals.dtype == SPECFAST_FLOAT32)
      static_cast<float*>(signals.values.data())[i] = float(value);
    if (signals.dtype == SPECFAST_FLOAT64) static_cast<double*>(signals.values.data())[i] = value;
  }
}

// A configuration whose values follow from the spectrum by a known derivative.
specfast_config simple_config(Random& random, std::vector<double>& window) {
  specfast_config config;
  const std::int32_t mode = std::int32_t(random.below(8));
  fuzz::check("config_init", specfast_config_init(&config, sizeof(config), mode), 0);
  constexpr std::int64_t kShort[] = {2, 8, 24, 30, 31, 48, 64, 97, 98, 120, 128};
  constexpr std::int64_t kLong[] = {254, 400, 512, 720, 729, 1021, 1024, 1458, 2048};
  config.dtype = std::int32_t(random.below(2));
  config.fft_length = random.one_in(3)    ? random.between(2, 100)
                      : random.one_in(20) ? random.of(kLong)
                                          : random.of(kShort);
  config.frame_length = random.between((config.fft_length + 1) / 2, config.fft_length);
  config.hop = random.between(1, config.frame_length);
  config.padding = std::int32_t(random.below(6));
  config.scaling = std::int32_t(random.below(3));
  window.resize(std::size_t(config.frame_length));
  Random source = random.another();
  for (double& value : window) value = double(source.between(1, 100)) / 100;
  if (random.one_in(2)) config.window = window.data();
  config.epsilon = 0;
  if (config.mode != SPECFAST_MODE_MEL) return config;
  config.num_mel_bins = random.between(1, 40);
  config.mag_exp = double(random.between(1, 2));
  config.level = SPECFAST_LEVEL_ENERGY;
  config.top_db_scope = SPECFAST_TOP_DB_NONE;
  return config;
}

std::vector<double> numbers_of(const Bytes& bytes, std::int32_t dtype) {
  std::vector<double> numbers;
  numbers.reserve(bytes.size() / fuzz::bytes_of(dtype));
  for (std::size_t at = 0; at < bytes.size(); at += fuzz::bytes_of(dtype)) {
    double wide;
    float narrow;
    if (dtype == SPECFAST_FLOAT64) std::memcpy(&wide, bytes.data() + at, sizeof(wide));
    if (dtype == SPECFAST_FLOAT32) std::memcpy(&narrow, bytes.data() + at, sizeof(narrow));
    numbers.push_back(dtype == SPECFAST_FLOAT64 ? wide : double(narrow));
  }
  return numbers;
}

std::vector<double> frames_of(std::size_t isa, const specfast_config& config,
                              const Signals& signals) {
  fuzz::choose_isa(isa);
  Plan plan;
  plan.config = config;
  fuzz::check("plan_create", specfast_plan_create(&config, &plan.handle), 0);
  fuzz::check("workspace_create", specfast_workspace_create(plan.handle, 1, &plan.workspace), 0);
  return numbers_of(fuzz::frames_of(plan, signals, 0, signals.num_signals, nullptr, 0),
                    config.dtype);
}

// Compares the values of a frame, which follow from a spectrum with this largest magnitude.
class Judge {
 public:
  Judge(const specfast_config& config, const double* spectrum)
      : mode_(config.mode),
        is_power_(config.mag_exp == 2),
        num_bins_(config.fft_length / 2 + 1),
        eps_(config.dtype == SPECFAST_FLOAT32 ? double(std::numeric_limits<float>::epsilon())
                                              : std::numeric_limits<double>::epsilon()) {
    magnitudes_.reserve(std::size_t(num_bins_));
    for (std::int64_t bin = 0; bin < num_bins_; ++bin)
      magnitudes_.push_back(std::hypot(spectrum[bin], spectrum[num_bins_ + bin]));
    peak_ = *std::max_element(magnitudes_.begin(), magnitudes_.end());
  }

  bool is_near(std::int64_t row, double value, double other, double weights) const {
    const double error = kEpsOfPeak * eps_ * peak_, rounding = 4 * eps_;
    if (value == other) return true;  // the logarithm of 0 too
    if (peak_ == 0) return mode_ == SPECFAST_MODE_ANGLE;
    const double magnitude = magnitudes_[std::size_t(row % num_bins_)];
    switch (mode_) {
      case SPECFAST_MODE_ANGLE: {
        const double chord = 2 * std::abs(std::sin((value - other) / 2));
        return chord * magnitude <= 2 * error + rounding * magnitude;
      }
      case SPECFAST_MODE_LOG:
        return std::abs(std::exp(value) - std::exp(other)) <=
               error + (std::abs(value) + 1) * rounding * magnitude;
      case SPECFAST_MODE_PSD:
        return std::abs(value - other) <=
               2 * ((2 * magnitude + error) * error + rounding * magnitude * magnitude);
      case SPECFAST_MODE_MEL: {
        const double each = is_power_ ? 2 * peak_ * error : error;
        const double size = is_power_ ? peak_ * peak_ : peak_;
        return std::abs(value - other) <= weights * (each + rounding * size);
      }
      default:
        return std::abs(value - other) <= error + rounding * magnitude;
    }
  }

 private:
  const std::int32_t mode_;
  const bool is_power_;
  const std::int64_t num_bins_;
  const double eps_;
  std::vector<double> magnitudes_;
  double peak_ = 0;
};

// The sum of the weights of each band.
std::vector<double> sums_of_weights(const specfast_config& c) {
  std::vector<double> sums(std::size_t(std::max<std::int64_t>(c.num_mel_bins, 1)), 0.0);
  if (c.mode != SPECFAST_MODE_MEL) return sums;
  const std::int64_t bins = c.fft_length / 2 + 1;
  std::vector<double> weights(std::size_t(bins * c.num_mel_bins));
  fuzz::check("mel_weights",
              specfast_mel_weights(c.num_mel_bins, bins, c.sampling_rate_hz, c.min_freq_hz,
                                   c.max_freq_hz, weights.data()),
              0);
  for (std::size_t i = 0; i < weights.size(); ++i) sums[i % sums.size()] += weights[i];
  return sums;
}

// Ends the program unless these values are near those of the plainest kernels.
void compare(const specfast_config& config, const std::vector<double>& found,
             const std::vector<double>& expected, const std::vector<double>& spectra) {
  if (found.size() != expected.size()) fuzz::broken("execute", 0, "as many values");
  const std::vector<double> weights = sums_of_weights(config);
  const std::size_t parts = std::size_t(config.fft_length / 2 + 1) * 2;
  const std::size_t frames = spectra.size() / parts;
  const std::size_t rows = frames ? expected.size() / frames : 1;
  for (std::size_t frame = 0; frame < frames; ++frame) {
    const Judge judge(config, spectra.data() + frame * parts);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t at = frame * rows + row;
      const double sum = weights[row % weights.size()];
      if (!judge.is_near(std::int64_t(row), found[at], expected[at], sum))
        fuzz::broken("execute", int(row), "the numbers of the plainest kernels");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  Random random(bytes, num_bytes);
  const std::size_t plainest = fuzz::num_isas() - 1;
  if (plainest == 0) return 0;
  const std::size_t isa = std::size_t(random.below(std::int64_t(plainest)));
  std::vector<double> window;
  const specfast_config config = simple_config(random, window);
  if (config.mode == SPECFAST_MODE_MEL && config.fft_length % 2) return 0;  // not the same points
  const std::int64_t bins = config.fft_length / 2 + 1, most = fuzz::most_values(random);
  const std::int64_t longest = std::clamp<std::int64_t>(most / bins * config.hop, 1, 3000);
  const Signals signals(random, random.between(1, 2), random.below(longest));
  fill_modestly(random, signals);

  specfast_config transform = config;
  transform.mode = SPECFAST_MODE_STFT;
  const std::vector<double> expected = frames_of(plainest, config, signals);
  compare(config, frames_of(isa, config, signals), expected,
          config.mode == SPECFAST_MODE_STFT ? expected : frames_of(plainest, transform, signals));
  return 0;
}
