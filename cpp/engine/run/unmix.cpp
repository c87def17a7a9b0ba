// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/unmix.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"
#include "engine/run/job.h"

namespace specfast::engine {
namespace {

constexpr int64_t kMaxIterations = 1000000;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
}

// Returns whether there is anything to compute.
bool check_bands(const Config& config, const specfast_bands& bands) {
  if (!config.mel) refuse("plan must have bands, as with mode SPECFAST_MODE_MEL it has");
  for (const auto& [name, value] :
       {std::pair{"num_signals", bands.num_signals}, std::pair{"num_frames", bands.num_frames}}) {
    if (value < 0) {
      refuse(std::string(name) + " must not be negative, received " + name + "=" +
             std::to_string(value));
    }
  }
  if (bands.num_iterations < 1 || bands.num_iterations > kMaxIterations) {
    refuse("num_iterations must be between 1 and " + std::to_string(kMaxIterations) +
           ", received num_iterations=" + std::to_string(bands.num_iterations));
  }
  if (checked_multiply(bands.num_signals, bands.num_frames) == 0) return false;
  const std::size_t bytes = element_bytes(config.precision);
  require_pointer("energies", bands.energies, bytes);
  check_extent({{bands.num_signals, bands.energy_signal_stride},
                {bands.num_frames, bands.energy_frame_stride},
                {config.num_mel_bins, bands.energy_band_stride}},
               bytes);
  require_pointer("bins", bands.bins, bytes);
  check_extent({{bands.num_signals, bands.bins_signal_stride},
                {bands.num_frames, bands.bins_frame_stride},
                {config.num_bins, bands.bins_bin_stride}},
               bytes);
  return true;
}

// Calls visit(bin, band, weight) for all weights that a plan has.
template <typename T, typename Visit>
void for_each_weight(const TilePlan<T>& tile, const Visit& visit) {
  if (tile.dense_range) {
    const T* weight = tile.dense_weights;
    for (int64_t band = 0; band < tile.num_bands; ++band) {
      for (int64_t bin = tile.dense_range[2 * band]; bin < tile.dense_range[2 * band + 1]; ++bin)
        visit(bin, band, double(*weight++));
    }
    return;
  }
  for (int64_t interval = 0; interval <= tile.num_bands; ++interval) {
    for (int64_t bin = tile.interval_begin[interval]; bin < tile.interval_begin[interval + 1];
         ++bin) {
      if (interval < tile.num_bands) visit(bin, interval, double(tile.mel_weights[2 * bin]));
      if (interval > 0) visit(bin, interval - 1, double(tile.mel_weights[2 * bin + 1]));
    }
  }
}

// Returns UnmixArgs::steps. A step that the type cannot hold belongs to a bin whose weights are
// next to nothing; it stays 0.
template <typename T>
std::vector<T> steps_of(const TilePlan<T>& tile) {
  std::vector<double> widths(std::size_t(tile.num_bands)), sums(std::size_t(tile.num_bins));
  for_each_weight(
      tile, [&](int64_t, int64_t band, double weight) { widths[std::size_t(band)] += weight; });
  for_each_weight(tile, [&](int64_t bin, int64_t band, double weight) {
    sums[std::size_t(bin)] += weight * widths[std::size_t(band)];
  });
  std::vector<T> steps;
  for (const double sum : sums) {
    const bool fits = sum > 1 / double(std::numeric_limits<T>::max());
    steps.push_back(fits ? T(1 / sum) : T(0));
  }
  return steps;
}

template <typename T>
void unmix(const PrecisionPlan<T>& plan, const PrecisionKernels<T>& functions, int num_threads,
           const specfast_bands& bands) {
  const TileVariant<T>& wide = plan.wide();
  const int64_t lanes = wide.kernel->lanes;
  const int64_t tiles = ceil_div(bands.num_frames, lanes);
  const std::vector<T> steps = steps_of(wide.tile);
  const ThreadBuffers<T> buffers(int64_t(functions.unmix_bytes(wide.tile) / sizeof(T)),
                                 num_threads);
  constexpr int64_t kMinWorkPerThread = 1 << 20;
  const int64_t tile_work =
      lanes * wide.tile.num_bins * std::min<int64_t>(bands.num_iterations, kMinWorkPerThread);
  parallel_for(bands.num_signals * tiles, kMinWorkPerThread / tile_work + 1, num_threads,
               [&](int thread, int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   const int64_t signal = i / tiles, frame = i % tiles * lanes;
                   UnmixArgs<T> args{};
                   args.energies = static_cast<const T*>(bands.energies) +
                                   signal * bands.energy_signal_stride +
                                   frame * bands.energy_frame_stride;
                   args.energy_frame_stride = bands.energy_frame_stride;
                   args.band_stride = bands.energy_band_stride;
                   args.bins = static_cast<T*>(bands.bins) + signal * bands.bins_signal_stride +
                               frame * bands.bins_frame_stride;
                   args.bin_frame_stride = bands.bins_frame_stride;
                   args.bin_stride = bands.bins_bin_stride;
                   args.num_frames = std::min(lanes, bands.num_frames - frame);
                   args.num_iterations = bands.num_iterations;
                   args.steps = steps.data();
                   args.workspace = buffers.of_thread(thread);
                   functions.unmix(wide.tile, args);
                 }
               });
}

}  // namespace

void unmix_bands(const Plan& plan, int num_threads, const specfast_bands& bands) {
  if (!check_bands(plan.config(), bands)) return;
  with_precision(plan.config().precision, [&](auto zero) {
    using T = decltype(zero);
    unmix<T>(plan.precision<T>(), kernels_of<T>(kernels()), num_threads, bands);
  });
}

}  // namespace specfast::engine
