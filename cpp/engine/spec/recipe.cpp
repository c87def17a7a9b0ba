// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/recipe.h"

#include <algorithm>
#include <cmath>

#include "engine/spec/elementary.h"
#include "engine/spec/modes.h"
#include "engine/spec/twiddle.h"
#include "engine/spec/window.h"

namespace specfast::engine {
namespace {

std::vector<double> scaled_window(const Config& config) {
  std::vector<double> window = config.window;
  if (window.empty()) window.assign(std::size_t(config.frame_length), 1.0);
  const Scaling scaling = config.window.empty() ? Scaling::kNone : config.scaling;
  const double gain = config.input_gain / window_divisor(window, scaling);
  for (double& value : window) value *= gain;
  return window;
}

// Keras floors the power at epsilon and, in the mode log, the magnitude after it.
double power_floor(const Config& config) {
  const bool floors_magnitude =
      traits_of(config.spectrum_op).floor == EpsilonFloor::kPowerAndMagnitude;
  return floors_magnitude ? std::max(config.epsilon, config.epsilon * config.epsilon)
                          : config.epsilon;
}

PowerLaw power_law(const Config& config) {
  const double mag_exp = config.mag_exp;
  if (config.power_offset != 0) return PowerLaw::kOffset;
  if (mag_exp == 2) return PowerLaw::kSquare;
  return mag_exp == 1 ? PowerLaw::kIdentity : PowerLaw::kGeneral;
}

double reference_level(const Config& config) {
  if (config.level_op() == LevelOp::kIdentity) return 0;
  const double reference = std::max(std::abs(config.ref_power), config.min_power);
  switch (config.level_op()) {
    case LevelOp::kNatural:
      return logarithm(reference);
    case LevelOp::kLog10:
      return decimal_logarithm(reference);
    default:
      return 10 * decimal_logarithm(reference);
  }
}

// Liftering as in HTK (The HTK Book, section 5.6): 1 + Q / 2 sin(pi i / Q).
double lifter_of(const Config& config, int64_t coefficient) {
  if (config.lifter == 0) return 1;
  return 1 + config.lifter / 2 * sine_of_half_turns(double(coefficient), config.lifter);
}

// The DCT-II: coefficient i is 2 sum x[b] cos(pi i (2 b + 1) / (2 B)), of B bands; orthonormal it
// is divided by sqrt(2 B), and number 0 by sqrt(2) more.
std::vector<double> cosine_transform(const Config& config) {
  const int64_t num_bands = config.num_mel_bins;
  std::vector<double> cosines;
  cosines.reserve(std::size_t(config.num_cepstra * num_bands));
  for (int64_t i = 0; i < config.num_cepstra; ++i) {
    const double norm = std::sqrt(double(i == 0 ? 4 : 2) * double(num_bands));
    const double factor = lifter_of(config, i) * (config.dct_is_orthonormal ? 2 / norm : 2);
    for (int64_t band = 0; band < num_bands; ++band)
      cosines.push_back(factor * turn(i * (2 * band + 1), 4 * num_bands).cosine);
  }
  return cosines;
}

}  // namespace

bool Recipe::is_empty_band(int64_t band) const {
  if (dense_filterbank.empty()) return filterbank.is_empty(band);
  const std::size_t num_bands = std::size_t(filterbank.num_bands());
  for (std::size_t at = std::size_t(band); at < dense_filterbank.size(); at += num_bands)
    if (dense_filterbank[at] != 0) return false;
  return true;
}

Recipe make_recipe(const Config& config) {
  Recipe recipe{};
  recipe.window = scaled_window(config);
  recipe.power_floor = power_floor(config);
  if (!config.mel) return recipe;
  recipe.filterbank = make_filterbank(mel_grid(config));
  recipe.dense_filterbank = config.mel_weights;
  recipe.power_law = power_law(config);
  recipe.power_offset = config.power_offset;
  recipe.half_exponent = config.mag_exp / 2;
  recipe.level_op = config.level_op();
  const bool adds_floor = kLevels[config.level].adds_floor;
  recipe.level_addend = adds_floor ? config.min_power : 0;
  recipe.min_power = adds_floor ? 0 : config.min_power;
  recipe.reference_level = reference_level(config);
  recipe.cosines = cosine_transform(config);
  return recipe;
}

}  // namespace specfast::engine
