// SPDX-License-Identifier: BSD-3-Clause
// Everything derived from a configuration. Immutable; shared between threads.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>
#include <vector>

#include "engine/plan/transform_tables.h"
#include "engine/spec/config.h"
#include "engine/spec/recipe.h"
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

// A tile plan for tiles of one size, wide or narrow, and the kernel that runs it.
template <typename T>
struct TileVariant {
  TilePlan<T> tile;
  const TileKernel<T>* kernel;
  std::vector<uint32_t> sample_offset, first_offset;
  std::vector<uint32_t> hop_offset;  // of conditioned frames
  std::size_t tile_bytes;            // workspace of the kernel
  std::size_t staging_bytes;         // the tile's samples, for tiles that cannot be read in place
};

// Returns how many values the spectrum of one tile has, in planes.
template <typename T>
int64_t spectrum_values(const TileVariant<T>& variant) {
  return 2 * variant.tile.num_bins * variant.kernel->lanes;
}

template <typename T>
class PrecisionPlan {
 public:
  // With weights, frames are multiplied by them; without (null), transformed.
  PrecisionPlan(const Config& config, const Recipe& recipe, const KernelTable& table,
                const GivenWeights* weights);
  PrecisionPlan(const PrecisionPlan&) = delete;
  PrecisionPlan& operator=(const PrecisionPlan&) = delete;

  const TileVariant<T>& wide() const { return wide_; }
  const TileVariant<T>& narrow() const { return narrow_; }
  // Returns the variant for a tile of so many frames; both give the same bits.
  const TileVariant<T>& variant_for(int64_t num_frames) const {
    return num_frames <= narrow_.kernel->lanes ? narrow_ : wide_;
  }
  // Returns whether a scope operation sees the levels before rows are made of them.
  bool defers_rows() const { return defers_rows_; }
  // Returns how many values the levels of a tile have that wait for it.
  int64_t level_values(const TileVariant<T>& variant) const {
    return (variant.tile.num_bands + 1) * variant.kernel->lanes;
  }
  // Returns the distance from the maximum that top_db allows, in the unit of what is clamped.
  double clamp_range() const { return clamp_range_; }
  // Returns what a level is where it is clamped: with its gain and offset, unless rows are
  // deferred.
  double scaled_level(double level) const {
    const RowsBehindLevels<T>& behind = common_.behind_levels;
    const bool is_scaled = behind.gain && !defers_rows_;
    return is_scaled ? level * double(behind.gain[0]) + double(behind.offset[0]) : level;
  }
  // Returns the workspace of one thread, a multiple of kWorkspaceAlignment.
  std::size_t workspace_bytes() const;
  // Returns whether subnormal numbers may be taken for zero: nothing can then be seen of it, since
  // all that they could change lies far below a floor.
  bool flushes_subnormals() const { return flushes_subnormals_; }
  // Returns about how much work a frame is; a transformed sample is 1, less than a nanosecond.
  int64_t frame_work() const;

 private:
  void derive_common(const Config& config, const Recipe& recipe);
  void derive_product(const GivenWeights& weights, int64_t block_rows);
  void derive_filterbank(const Recipe& recipe);
  void derive_dense(const Recipe& recipe);
  void derive_conditioning(const Config& config);
  void derive_rows(const Config& config, const Recipe& recipe);
  void derive_offsets(const Config& config, TileVariant<T>& variant) const;
  bool hides_subnormals(const Config& config, const Recipe& recipe) const;
  bool gains_hide_subnormals() const;
  TileVariant<T> derive_variant(const Config& config, const TileKernel<T>& kernel) const;

  TransformTables<T> transform_;
  std::vector<T> product_, mel_weights_, cosines_, row_gain_, row_offset_;
  std::vector<int32_t> interval_begin_, dense_begin_;
  std::vector<T> dense_weights_;
  std::unique_ptr<void, void (*)(void*)> fallback_rfft_{nullptr, nullptr};
  TilePlan<T> common_{};
  bool flushes_subnormals_ = false;
  bool defers_rows_ = false;
  double clamp_range_ = 0;
  TileVariant<T> wide_, narrow_;
};

class Plan {
 public:
  explicit Plan(const specfast_config& raw, const specfast_weights* weights = nullptr);
  // Makes a plan of numbers that are not those of the configuration.
  Plan(Config config, const Recipe& recipe);

  const Config& config() const { return config_; }
  bool is_analytic() const;
  // Returns a hash that tells plans apart, but not the values of trained kernels.
  uint64_t fingerprint() const { return fingerprint_; }
  // Returns how many values of a signal's spectra are worth keeping for its gradients; 0 where they
  // are not: with an FFT, and in the linear modes.
  int64_t num_kept(int64_t num_samples) const;
  int64_t num_rows() const;
  std::size_t workspace_bytes() const;

  template <typename T>
  const PrecisionPlan<T>& precision() const {
    return *std::get<std::unique_ptr<PrecisionPlan<T>>>(precision_);
  }

 private:
  void derive(const Recipe& recipe, const GivenWeights* weights);

  Config config_;
  uint64_t fingerprint_;
  std::variant<std::unique_ptr<PrecisionPlan<float>>, std::unique_ptr<PrecisionPlan<double>>>
      precision_;
};

}  // namespace specfast::engine
