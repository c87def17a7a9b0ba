// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/recipe.h"

#include <algorithm>
#include <cmath>

#include "engine/spec/modes.h"
#include "engine/spec/window.h"

namespace specfast::engine {
namespace {

std::vector<double> scaled_window(const Config& config) {
  std::vector<double> window = config.window;
  if (window.empty()) window.assign(std::size_t(config.frame_length), 1.0);
  const Scaling scaling = config.window.empty() ? Scaling::kNone : config.scaling;
  const double gain = 1.0 / window_divisor(window, scaling);
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

PowerLaw power_law(double mag_exp) {
  if (mag_exp == 2) return PowerLaw::kSquare;
  return mag_exp == 1 ? PowerLaw::kIdentity : PowerLaw::kGeneral;
}

double reference_db(const Config& config) {
  if (config.level_op != LevelOp::kDecibel) return 0;
  return 10 * std::log10(std::max(std::abs(config.ref_power), config.min_power));
}

}  // namespace

Recipe make_recipe(const Config& config) {
  Recipe recipe{};
  recipe.window = scaled_window(config);
  recipe.power_floor = power_floor(config);
  if (!config.mel) return recipe;
  recipe.filterbank = make_filterbank(config.num_mel_bins, config.num_bins, config.sampling_rate_hz,
                                      config.min_freq_hz, config.max_freq_hz);
  recipe.power_law = power_law(config.mag_exp);
  recipe.half_exponent = config.mag_exp / 2;
  recipe.level_op = config.level_op;
  recipe.min_power = config.min_power;
  recipe.reference_db = reference_db(config);
  return recipe;
}

}  // namespace specfast::engine
