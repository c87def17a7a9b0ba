// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/spec/geometry.h"
#include "engine/spec/twiddle.h"
#include "engine/spec/window.h"

namespace specfast::engine {
namespace {

// Turns by multiples of 1 / dft_length: n k / dft_length is one of them.
std::vector<Turn> all_turns(int64_t dft_length) {
  std::vector<Turn> turns;
  turns.reserve(std::size_t(dft_length));
  for (int64_t i = 0; i < dft_length; ++i) turns.push_back(turn(i, dft_length));
  return turns;
}

std::vector<double> scaled_window(const Config& config) {
  if (config.window.empty()) return std::vector<double>(std::size_t(config.frame_length), 1.0);
  std::vector<double> window = config.window;
  const double divisor = window_divisor(config.window, config.scaling);
  for (double& value : window) value /= divisor;
  return window;
}

// Calls visit(index, window[n], turn, angle) for all n and k while it returns true.
template <typename Visit>
bool for_each_weight(const Config& config, const Visit& visit) {
  const std::vector<Turn> turns = all_turns(config.dft_length);
  const std::vector<double> window = scaled_window(config);
  const double step = 2 * 3.14159265358979323846 / double(config.dft_length);
  std::size_t index = 0;
  for (int64_t n = 0; n < config.frame_length; ++n) {
    int64_t place = 0;  // n k modulo dft_length
    for (int64_t k = 0; k < config.num_bins; ++k, ++index) {
      const double angle = step * double(n) * double(k);
      if (!visit(index, window[std::size_t(n)], turns[std::size_t(place)], angle)) return false;
      place += n;
      while (place >= config.dft_length) place -= config.dft_length;
    }
  }
  return true;
}

std::size_t num_weights(const Config& config) {
  return std::size_t(checked_multiply(config.frame_length, config.num_bins));
}

GivenKernel checked_kernel(const char* name, const void* values, int32_t dtype, bool wanted) {
  if (wanted != (values != nullptr)) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                std::string(name) + (wanted ? " must not be NULL in this mode"
                                            : " must be NULL: this mode has no such kernel"));
  }
  const bool is_full = dtype == SPECFAST_FLOAT64;
  if (wanted) require_pointer(name, values, is_full ? sizeof(double) : sizeof(float));
  if (is_full) return {nullptr, static_cast<const double*>(values)};
  return {static_cast<const float*>(values), nullptr};
}

}  // namespace

Weights analytic_weights(const Config& config) {
  Weights weights;
  const bool real = has_real_kernel(config.spectrum_op), imag = has_imag_kernel(config.spectrum_op);
  if (real) weights.real.resize(num_weights(config));
  if (imag) weights.imag.resize(num_weights(config));
  for_each_weight(config, [&](std::size_t index, double window, const Turn& turn, double) {
    if (real) weights.real[index] = window * turn.cosine;
    if (imag) weights.imag[index] = -window * turn.sine;
    return true;
  });
  return weights;
}

GivenWeights checked_weights(const Config& config, const specfast_weights& raw) {
  if (config.mel) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "mode must be one with kernels, any but SPECFAST_MODE_MEL, received mode=" +
                    std::to_string(SPECFAST_MODE_MEL));
  }
  if (config.input_gain != 1) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "input_gain must be 1 with given kernels, received input_gain=" +
                    std::to_string(config.input_gain));
  }
  if (raw.dtype != SPECFAST_FLOAT32 && raw.dtype != SPECFAST_FLOAT64) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "weights.dtype must be SPECFAST_FLOAT32 or SPECFAST_FLOAT64, received dtype=" +
                    std::to_string(raw.dtype));
  }
  if (!(raw.rounding >= 0 && raw.rounding <= 1)) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "weights.rounding must be between 0 and 1, received rounding=" +
                    std::to_string(raw.rounding));
  }
  return {checked_kernel("real_kernel", raw.real_kernel, raw.dtype,
                         has_real_kernel(config.spectrum_op)),
          checked_kernel("imag_kernel", raw.imag_kernel, raw.dtype,
                         has_imag_kernel(config.spectrum_op))};
}

bool are_analytic(const Config& config, const GivenWeights& weights, double epsilon) {
  // In half precision the angle's own rounding would hide training: those kernels are the analytic
  // ones only if they are these, rounded.
  const bool is_half = epsilon > 1e-4;
  // A window's small values are differences of large ones.
  double largest = 0;
  for (const double value : scaled_window(config)) largest = std::max(largest, std::abs(value));
  return for_each_weight(
      config, [&](std::size_t index, double window, const Turn& turn, double angle) {
        const double growth = is_half ? 0 : 8 + 2 * angle;
        const double tolerance = epsilon * (largest + std::abs(window) * growth);
        const auto near = [tolerance](double value, double expected) {
          return std::abs(value - expected) <= tolerance;  // not a NaN
        };
        return (!weights.real || near(weights.real[index], window * turn.cosine)) &&
               (!weights.imag || near(weights.imag[index], -window * turn.sine));
      });
}

}  // namespace specfast::engine
