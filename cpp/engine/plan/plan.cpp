// SPDX-License-Identifier: BSD-3-Clause
#include "engine/plan/plan.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "engine/base/checked.h"
#include "engine/plan/dispatch.h"
#include "engine/spec/fingerprint.h"
#include "engine/spec/geometry.h"
#include "engine/spec/modes.h"

namespace specfast::engine {
namespace {

// A subnormal factor could make a number that counts of a large sample.
template <typename T>
bool has_subnormal(const std::vector<T>& values) {
  return std::any_of(values.begin(), values.end(),
                     [](T value) { return std::fpclassify(value) == FP_SUBNORMAL; });
}

}  // namespace

template <typename T>
PrecisionPlan<T>::PrecisionPlan(const Config& config, const Recipe& recipe,
                                const KernelTable& table, const GivenWeights* weights) {
  const PrecisionKernels<T>& kernels = kernels_of<T>(table);
  derive_common(config, recipe);
  if (weights) {
    derive_product(*weights, kernels.product_rows);
    narrow_ = derive_variant(config, kernels.product_narrow);
    wide_ = derive_variant(config, kernels.product_wide);
    flushes_subnormals_ = hides_subnormals(config, recipe) && !has_subnormal(product_);
    return;
  }
  transform_.derive(config, recipe, kernels.factor_copies, common_);
  if (common_.num_passes == 0) {
    fallback_rfft_ = {kernels.rfft_create(config.dft_length), kernels.rfft_destroy};
    if (!fallback_rfft_) throw std::bad_alloc();
    common_.fallback_rfft = fallback_rfft_.get();
  }
  if (config.mel) derive_filterbank(recipe);
  flushes_subnormals_ = hides_subnormals(config, recipe) && !has_subnormal(transform_.window());

  // A tile of a very long transform would only thrash the caches.
  constexpr int64_t kMaxTileBytes = int64_t(8) << 20;
  const bool wide_fits =
      config.dft_length * kernels.wide.lanes * int64_t(sizeof(T)) <= kMaxTileBytes;
  narrow_ = derive_variant(config, kernels.narrow);
  wide_ = derive_variant(config, wide_fits ? kernels.wide : kernels.narrow);
}

// What is taken for zero changes no value of the spectrum beyond 2^-75, where a float32 of 2^-101
// is lost to rounding anyway. Its power is 2^-150; even the magnitude, summed over 2^20 bins, stays
// below 2^-50.
template <typename T>
bool PrecisionPlan<T>::hides_subnormals(const Config& config, const Recipe& recipe) const {
  constexpr double kSmallestFloor = 0x1p-50;
  if (config.mel) {
    return recipe.level_op == LevelOp::kDecibel && recipe.min_power >= kSmallestFloor &&
           config.mag_exp >= 1;
  }
  return traits_of(config.spectrum_op).floor != EpsilonFloor::kNone &&
         recipe.power_floor >= kSmallestFloor;
}

template <typename T>
void PrecisionPlan<T>::derive_common(const Config& config, const Recipe& recipe) {
  common_.frame_length = config.frame_length;
  common_.dft_length = config.dft_length;
  common_.num_bins = config.num_bins;
  common_.num_output_rows = config.num_bins * traits_of(config.spectrum_op).rows_per_bin;
  common_.spectrum_op = config.spectrum_op;
  common_.power_floor = T(recipe.power_floor);
  common_.hop_rows = std::min(config.hop, config.frame_length);
  common_.track_extrema = config.top_db_scope != TopDbScope::kNone;
}

template <typename T>
void PrecisionPlan<T>::derive_product(const GivenWeights& weights, int64_t block_rows) {
  TilePlan<T>& tile = common_;
  const int64_t kernels_of_bin = weights.real && weights.imag ? 2 : 1;
  const int64_t bins_of_block = block_rows / kernels_of_bin;
  const int64_t num_blocks = ceil_div(tile.num_bins, bins_of_block);
  product_.assign(std::size_t(checked_multiply(num_blocks * block_rows, tile.frame_length)), T(0));
  const auto pack = [&](const GivenKernel& kernel, int64_t first_row) {
    if (!kernel) return;
    T* to = product_.data() + first_row;
    for (int64_t begin = 0; begin < tile.num_bins; begin += bins_of_block) {
      const int64_t count = std::min(bins_of_block, tile.num_bins - begin);
      for (int64_t n = 0; n < tile.frame_length; ++n, to += block_rows) {
        const std::size_t from = std::size_t(n * tile.num_bins + begin);
        for (int64_t i = 0; i < count; ++i)
          to[i * kernels_of_bin] = T(kernel[from + std::size_t(i)]);
      }
    }
  };
  pack(weights.real, 0);
  pack(weights.imag, kernels_of_bin - 1);
  tile.trained_weights = product_.data();
}

template <typename T>
void PrecisionPlan<T>::derive_filterbank(const Recipe& recipe) {
  const Filterbank& bank = recipe.filterbank;
  interval_begin_ = bank.interval_begin;
  mel_weights_.assign(bank.weights.begin(), bank.weights.end());
  common_.num_bands = bank.num_bands();
  common_.num_output_rows = bank.num_bands();
  common_.interval_begin = interval_begin_.data();
  common_.mel_weights = mel_weights_.data();
  common_.power_law = recipe.power_law;
  common_.half_exponent = recipe.half_exponent;
  common_.level_op = recipe.level_op;
  common_.min_power = T(recipe.min_power);
  common_.reference_db = T(recipe.reference_db);
}

template <typename T>
TileVariant<T> PrecisionPlan<T>::derive_variant(const Config& config,
                                                const TileKernel<T>& kernel) const {
  TileVariant<T> variant;
  TilePlan<T>& tile = variant.tile;
  variant.kernel = &kernel;
  tile = common_;
  const int64_t overlapping_hops = (config.frame_length - 1) / config.hop;
  tile.hop_columns =
      round_up(kernel.lanes + overlapping_hops, kColumnGroupBytes / int64_t(sizeof(T)));
  variant.sample_offset.assign(std::size_t(config.frame_length) + 1, 0);
  for (int64_t n = 0; n < config.frame_length; ++n) {
    variant.sample_offset[std::size_t(n)] =
        uint32_t(n % config.hop * tile.hop_columns + n / config.hop);
  }
  tile.sample_offset = variant.sample_offset.data();
  if (tile.num_passes > 0) {
    for (const int64_t n : samples_of_first_pass(tile.passes[0])) {
      const int64_t in_frame = std::min(n, config.frame_length);
      variant.first_offset.push_back(variant.sample_offset[std::size_t(in_frame)]);
    }
    tile.first_offset = variant.first_offset.data();
  }
  variant.tile_bytes = kernel.workspace_bytes(tile);
  variant.staging_bytes = std::size_t(round_up(
      checked_multiply(tile.hop_rows * tile.hop_columns, sizeof(T)), int64_t(kWorkspaceAlignment)));
  return variant;
}

template <typename T>
std::size_t PrecisionPlan<T>::workspace_bytes() const {
  return std::max(wide_.tile_bytes + wide_.staging_bytes,
                  narrow_.tile_bytes + narrow_.staging_bytes);
}

template <typename T>
int64_t PrecisionPlan<T>::frame_work() const {
  constexpr int64_t kProductsPerSample = 8;
  const TilePlan<T>& tile = wide_.tile;
  if (!tile.trained_weights) return tile.dft_length + tile.num_output_rows;
  return tile.frame_length * tile.num_output_rows / kProductsPerSample + 1;
}

template class PrecisionPlan<float>;
template class PrecisionPlan<double>;

Plan::Plan(const specfast_config& raw, const specfast_weights* raw_weights)
    : config_(validate(raw)), fingerprint_(engine::fingerprint(config_)) {
  GivenWeights weights;
  bool trained = false;
  if (raw_weights) {
    weights = checked_weights(config_, *raw_weights);
    trained = !are_analytic(config_, weights, raw_weights->rounding);
  }
  const GivenWeights* const used = trained ? &weights : nullptr;
  const Recipe recipe = make_recipe(config_);
  if (config_.precision == Precision::kFloat32) {
    precision_ = std::make_unique<PrecisionPlan<float>>(config_, recipe, kernels(), used);
  } else {
    precision_ = std::make_unique<PrecisionPlan<double>>(config_, recipe, kernels(), used);
  }
  std::vector<double>().swap(config_.window);  // its place is the tile plan now
}

bool Plan::is_analytic() const {
  return std::visit([](const auto& plan) { return !plan->wide().tile.trained_weights; },
                    precision_);
}

int64_t Plan::num_kept(int64_t num_samples) const {
  if (is_analytic() || traits_of(config_.spectrum_op).is_linear) return 0;
  const int64_t frames = num_frames(config_, num_samples);
  return std::visit(
      [frames](const auto& plan) {
        const auto& wide = plan->wide();
        const int64_t lanes = wide.kernel->lanes;
        return checked_multiply(ceil_div(frames, lanes), spectrum_values(wide));
      },
      precision_);
}

int64_t Plan::num_rows() const {
  return std::visit([](const auto& plan) { return plan->wide().tile.num_output_rows; }, precision_);
}

std::size_t Plan::workspace_bytes() const {
  return std::visit([](const auto& plan) { return plan->workspace_bytes(); }, precision_);
}

}  // namespace specfast::engine
