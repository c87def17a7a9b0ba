// SPDX-License-Identifier: BSD-3-Clause
// Bins from the energies of bands: not negative, no worse than zeros, and arguments that are
// refused.
#include "harness.h"

namespace fuzz {
namespace {

void spoil(Random& random, specfast_bands& bands) {
  switch (random.below(5)) {
    case 0:
      bands.struct_size = random.bad_size(sizeof(bands));
      break;
    case 1:
      bands.energies = nullptr;
      break;
    case 2:
      bands.bins = nullptr;
      break;
    case 3:
      bands.num_iterations = random.one_in(2) ? 0 : random.bad_count();
      break;
    default:
      (random.one_in(2) ? bands.num_signals : bands.num_frames) = -1;
      break;
  }
}

double value_of(const Buffer& values, std::int32_t dtype, std::int64_t index) {
  if (dtype == SPECFAST_FLOAT64) return static_cast<const double*>(values.data())[index];
  return double(static_cast<const float*>(values.data())[index]);
}

}  // namespace

void unmix_bands(Random& random, const Plan& plan) {
  const specfast_config& config = plan.config;
  const bool mel = config.mode == SPECFAST_MODE_MEL;
  const std::int64_t num_bands = mel ? config.num_mel_bins : 1;
  const std::int64_t num_bins = config.fft_length / 2 + 1;
  const std::int64_t signals = random.between(1, 2), frames = random.between(1, 40);
  const std::int64_t count = signals * frames * num_bins;
  const Buffer energies(std::size_t(signals * frames * num_bands) * bytes_of(config.dtype));
  const Buffer bins(std::size_t(count) * bytes_of(config.dtype));
  fill(random, energies.data(), config.dtype, signals * frames * num_bands);
  specfast_bands bands = {};
  bands.struct_size = sizeof(bands);
  bands.energies = energies.data();
  bands.num_signals = signals;
  bands.num_frames = frames;
  bands.energy_signal_stride = frames * num_bands;
  bands.energy_frame_stride = num_bands;
  bands.energy_band_stride = 1;
  bands.bins = bins.data();
  bands.bins_signal_stride = frames * num_bins;
  const bool by_bin = random.one_in(2);
  bands.bins_frame_stride = by_bin ? 1 : num_bins;
  bands.bins_bin_stride = by_bin ? frames : 1;
  bands.num_iterations = random.between(1, 9);
  refused("unmix_bands", specfast_unmix_bands(nullptr, 1, &bands));
  refused("unmix_bands", specfast_unmix_bands(plan.handle, 1, nullptr));
  refused("unmix_bands", specfast_unmix_bands(plan.handle, -1, &bands));
  const bool spoiled = random.one_in(4);
  if (spoiled) spoil(random, bands);
  const bool bad = spoiled || !mel;
  const std::int32_t threads = std::int32_t(random.below(4));
  if (!check("unmix_bands", specfast_unmix_bands(plan.handle, threads, &bands), bad ? kRefused : 0,
             !bad))
    return;
  for (std::int64_t i = 0; i < count; ++i) {
    if (value_of(bins, config.dtype, i) < 0) broken("unmix_bands", 0, "bins that are not negative");
  }
}

specfast_status unmix_three_frames(const specfast_plan* plan) {
  constexpr std::int64_t kFrames = 3, kBins = 33;
  const float energy = 1;  // of all bands and frames
  float bins[kFrames * kBins];
  specfast_bands bands = {};
  bands.struct_size = sizeof(bands);
  bands.energies = &energy;
  bands.num_signals = 1;
  bands.num_frames = kFrames;
  bands.bins = bins;
  bands.bins_frame_stride = kBins;
  bands.bins_bin_stride = 1;
  bands.num_iterations = 2;
  return specfast_unmix_bands(plan, 2, &bands);
}

}  // namespace fuzz
