// SPDX-License-Identifier: BSD-3-Clause
#include "engine/plan/inverse_plan.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/spec/fingerprint.h"
#include "engine/spec/recipe.h"

namespace specfast::engine {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
}

void require_default(int64_t received, const char* name) {
  if (received == 0) return;
  refuse(std::string(name) + " must be 0 for an inverse, received " + name + "=" +
         std::to_string(received));
}

// Returns the configuration of the adjoint: whole frames without padding.
Config of_whole_frames(Config config) {
  config.padding = Padding::kValid;
  config.pad_mode = PadMode::kZeros;
  config.pad_length = 0;
  config.frame_span = config.frame_length;
  return config;
}

// Throws where the precision cannot hold the window.
void check_window(const Config& config, const std::vector<double>& window) {
  if (config.precision == Precision::kFloat64) return;
  for (const double value : window) {
    if (std::isfinite(float(value))) continue;
    refuse("window must have an inverse that float32 can hold, received a synthesis window of " +
           std::to_string(value));
  }
}

Recipe recipe_of_adjoint(const Config& config, const Synthesis& synthesis, int64_t phase_origin) {
  Recipe recipe = make_recipe(config);
  recipe.window = synthesis.window();
  for (double& value : recipe.window) value *= 2 / double(config.dft_length);
  check_window(config, recipe.window);
  recipe.phase_origin = phase_origin;
  return recipe;
}

specfast_inverse_options options_or_default(const specfast_inverse_options* options) {
  return options ? *options : specfast_inverse_options{sizeof(specfast_inverse_options), 0, 0};
}

}  // namespace

Config validate_inverse(const specfast_config& raw, const specfast_inverse_options& options) {
  Config config = validate(raw);
  if (config.spectrum_op != SpectrumOp::kStft) {
    refuse("mode must be SPECFAST_MODE_STFT for an inverse, received mode=" +
           std::to_string(raw.mode));
  }
  require_default(config.drop_frames, "drop_frames");
  require_default(config.masked_frames, "masked_frames");
  if ((options.keeps_odd_length | 1) != 1) {
    refuse("keeps_odd_length must be 0 or 1, received keeps_odd_length=" +
           std::to_string(options.keeps_odd_length));
  }
  if (options.keeps_odd_length) config.dft_length = config.fft_length;
  if (options.phase_origin < 0 || options.phase_origin >= config.dft_length) {
    refuse("phase_origin must be between 0 and " + std::to_string(config.dft_length - 1) +
           ", received phase_origin=" + std::to_string(options.phase_origin));
  }
  return config;
}

InversePlan::InversePlan(const specfast_config& raw, const specfast_inverse_options* options)
    : InversePlan(validate_inverse(raw, options_or_default(options)), options_or_default(options)) {
}

InversePlan::InversePlan(Config config, const specfast_inverse_options& options)
    : config_(std::move(config)),
      phase_origin_(options.phase_origin),
      fingerprint_(engine::fingerprint(config_) ^
                   (uint64_t(options.phase_origin) * 2 + uint64_t(options.keeps_odd_length))),
      synthesis_(config_, make_recipe(config_).window),
      adjoint_(
          of_whole_frames(config_),
          recipe_of_adjoint(config_, synthesis_,
                            (config_.dft_length - options.phase_origin) % config_.dft_length)) {
  std::vector<double>().swap(config_.window);  // its place is the synthesis now
}

template <typename T>
std::size_t InversePlan::tile_bytes() const {
  const auto bytes = [](const TileVariant<T>& variant) {
    return int64_t(variant.kernel->inverse_bytes(variant.tile));
  };
  return std::size_t(std::max(bytes(precision<T>().wide()), bytes(precision<T>().narrow())));
}

std::size_t InversePlan::workspace_bytes() const {
  const auto bytes = [this](auto zero) {
    using T = decltype(zero);
    const int64_t values = checked_add(finished_values<T>(), carried_values<T>());
    return checked_add(int64_t(tile_bytes<T>()), checked_multiply(values, sizeof(T)));
  };
  const int64_t needed =
      config_.precision == Precision::kFloat64 ? bytes(double()) : bytes(float());
  return std::size_t(round_up(needed, int64_t(kWorkspaceAlignment)));
}

template std::size_t InversePlan::tile_bytes<float>() const;
template std::size_t InversePlan::tile_bytes<double>() const;

}  // namespace specfast::engine
