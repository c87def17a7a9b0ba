// SPDX-License-Identifier: BSD-3-Clause
// Everything derived from a configuration. Immutable; shared between threads.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "engine/spec/config.h"
#include "engine/spec/weights.h"
#include "seam/kernel_table.h"

namespace specfast::engine {

template <typename T>
const PrecisionKernels<T>& kernels_of(const KernelTable& table) {
  if constexpr (sizeof(T) == 4) {
    return table.float32;
  } else {
    return table.float64;
  }
}

// A tile plan for one width and the kernel that runs it.
template <typename T>
struct Width {
  TilePlan<T> tile;
  const TileKernel<T>* kernel;
  std::vector<uint32_t> sample_offset, first_offset;
  std::size_t tile_bytes;     // workspace of the kernel
  std::size_t staging_bytes;  // the tile's samples, for tiles that cannot be read in place
};

// Values of the spectrum of one tile, in planes.
template <typename T>
int64_t spectrum_values(const Width<T>& width) {
  return 2 * width.tile.num_bins * width.kernel->lanes;
}

template <typename T>
class PrecisionPlan {
 public:
  // With weights, frames are multiplied by them; without (null), transformed.
  PrecisionPlan(const Config& config, const KernelTable& table, const GivenWeights* weights);
  PrecisionPlan(const PrecisionPlan&) = delete;
  PrecisionPlan& operator=(const PrecisionPlan&) = delete;

  const Width<T>& wide() const { return wide_; }
  const Width<T>& narrow() const { return narrow_; }
  // Workspace of one thread, a multiple of kWorkspaceAlignment.
  std::size_t workspace_bytes() const;

 private:
  void derive_common(const Config& config, TilePlan<T>& tile);
  void derive_transform(const Config& config, int64_t factor_copies, TilePlan<T>& tile);
  void derive_first_factors(int64_t factor_copies, TilePlan<T>& tile);
  void derive_product(const GivenWeights& weights, int64_t block_rows, TilePlan<T>& tile);
  void derive_mel(const Config& config, TilePlan<T>& tile);
  Width<T> derive_width(const Config& config, const TileKernel<T>& kernel);

  std::vector<T> window_, first_factors_, real_twiddles_, product_, mel_weights_;
  std::vector<std::vector<T>> pass_twiddles_;
  std::vector<uint32_t> bin_place_;
  std::vector<int32_t> interval_begin_;
  std::unique_ptr<void, void (*)(void*)> fallback_rfft_{nullptr, nullptr};
  TilePlan<T> common_{};
  Width<T> wide_, narrow_;
};

class Plan {
 public:
  explicit Plan(const specfast_config& raw, const specfast_weights* weights = nullptr);

  const Config& config() const { return config_; }
  bool is_analytic() const;
  // Tells plans apart, but not the values of trained kernels.
  uint64_t fingerprint() const { return fingerprint_; }
  // Values of a signal's spectra that are worth keeping for its gradients; 0 where they are not:
  // with an FFT, and in the linear modes.
  int64_t num_kept(int64_t num_samples) const;
  int64_t num_rows() const;
  std::size_t workspace_bytes() const;

  template <typename T>
  const PrecisionPlan<T>& precision() const {
    return *std::get<std::unique_ptr<PrecisionPlan<T>>>(precision_);
  }

 private:
  Config config_;
  uint64_t fingerprint_;
  std::variant<std::unique_ptr<PrecisionPlan<float>>, std::unique_ptr<PrecisionPlan<double>>>
      precision_;
};

}  // namespace specfast::engine
