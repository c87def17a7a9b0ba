// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of tables: null checks, translation and catching.
#include <algorithm>
#include <vector>

#include "engine/abi/checks.h"
#include "engine/spec/config.h"
#include "engine/spec/filterbank.h"
#include "engine/spec/frequencies.h"
#include "engine/spec/mel_scale.h"
#include "engine/spec/modes.h"
#include "engine/spec/recipe.h"
#include "engine/spec/weights.h"
#include "engine/spec/window.h"

using namespace specfast::engine;

specfast_status specfast_window(const char* name, int64_t length, int32_t periodic,
                                double* values) {
  return guarded([&] {
    require_pointer("name", name);
    require_pointer("values", values);
    const std::vector<double> window = make_window(name, length, periodic != 0);
    std::copy(window.begin(), window.end(), values);
  });
}

const char* specfast_window_name(size_t index) { return window_name(index); }

specfast_status specfast_mel_weights(int64_t num_mel_bins, int64_t num_bins,
                                     double sampling_rate_hz, double min_freq_hz,
                                     double max_freq_hz, double* weights) {
  return guarded([&] {
    require_pointer("weights", weights);
    const MelGrid grid{num_mel_bins, num_bins, sampling_rate_hz, min_freq_hz, max_freq_hz};
    check_mel_grid(grid);
    dense_weights(make_filterbank(grid), num_mel_bins, num_bins, weights);
  });
}

specfast_status specfast_empty_bands(int64_t num_mel_bins, int64_t num_bins,
                                     double sampling_rate_hz, double min_freq_hz,
                                     double max_freq_hz, uint8_t* is_empty) {
  return guarded([&] {
    require_pointer("is_empty", is_empty);
    const MelGrid grid{num_mel_bins, num_bins, sampling_rate_hz, min_freq_hz, max_freq_hz};
    check_mel_grid(grid);
    const Filterbank bank = make_filterbank(grid);
    for (int64_t band = 0; band < num_mel_bins; ++band) is_empty[band] = bank.is_empty(band);
  });
}

specfast_status specfast_config_empty_bands(const specfast_config* config, uint8_t* is_empty) {
  return guarded([&] {
    require_struct("config", config);
    require_pointer("is_empty", is_empty);
    const Config checked = validate(*config);
    if (!checked.mel) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "mode must be SPECFAST_MODE_MEL, the one that has bands, received mode=" +
                      std::to_string(config->mode));
    }
    const Recipe recipe = make_recipe(checked);
    for (int64_t band = 0; band < checked.num_mel_bins; ++band)
      is_empty[band] = recipe.is_empty_band(band);
  });
}

specfast_status specfast_analytic_weights(const specfast_config* config, double* real_kernel,
                                          double* imag_kernel) {
  return guarded([&] {
    require_struct("config", config);
    const Config checked = validate(*config);
    if (checked.mel) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "mode must be one with kernels, any but SPECFAST_MODE_MEL, received mode=" +
                      std::to_string(config->mode));
    }
    if (has_real_kernel(checked.spectrum_op)) require_pointer("real_kernel", real_kernel);
    if (has_imag_kernel(checked.spectrum_op)) require_pointer("imag_kernel", imag_kernel);
    const Weights weights = analytic_weights(checked);
    std::copy(weights.real.begin(), weights.real.end(), real_kernel);
    std::copy(weights.imag.begin(), weights.imag.end(), imag_kernel);
  });
}

specfast_status specfast_frequencies(const specfast_config* config, double* hz) {
  return guarded([&] {
    require_struct("config", config);
    require_pointer("hz", hz);
    const std::vector<double> frequencies =
        row_frequencies(validate(*config), config->sampling_rate_hz);
    std::copy(frequencies.begin(), frequencies.end(), hz);
  });
}

double specfast_hertz_to_mel(double hz) { return hertz_to_mel(hz); }

const char* specfast_mode_name(int32_t mode) { return mode_name(mode); }

const char* specfast_level_name(int32_t level) { return level_name(level); }
