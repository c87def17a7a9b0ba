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

// Whether all factors are modest: a subnormal one could make a number that counts of a large
// sample, and one beyond `largest` of a subnormal sample.
template <typename T>
bool are_modest(const std::vector<T>& values, double largest = HUGE_VAL) {
  return std::all_of(values.begin(), values.end(), [largest](T value) {
    return std::fpclassify(value) != FP_SUBNORMAL && std::abs(value) <= largest;
  });
}

// Returns the first `kept` columns of a matrix [rows][columns] as blocks of rows,
// [block][column][kCepstraOfBlock], filled up with zeros.
template <typename T>
std::vector<T> in_blocks(const std::vector<double>& matrix, int64_t rows, int64_t columns,
                         int64_t kept) {
  std::vector<T> blocks(std::size_t(round_up(rows, kCepstraOfBlock) * kept), T(0));
  for (int64_t row = 0; row < rows; ++row) {
    T* const block = blocks.data() + row / kCepstraOfBlock * kCepstraOfBlock * kept;
    for (int64_t column = 0; column < kept; ++column) {
      block[column * kCepstraOfBlock + row % kCepstraOfBlock] =
          T(matrix[std::size_t(row * columns + column)]);
    }
  }
  return blocks;
}

template <typename T>
bool is_constant(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [&](T value) { return value == values[0]; });
}

}  // namespace

template <typename T>
PrecisionPlan<T>::PrecisionPlan(const Config& config, const Recipe& recipe,
                                const KernelTable& table, const GivenWeights* weights) {
  const PrecisionKernels<T>& kernels = kernels_of<T>(table);
  derive_common(config, recipe);
  // All samples of a frame that are below 2^-126, times such values of a window or a kernel, sum to
  // less than 2^-102, which a floor of 2^-50 hides with its square.
  const double largest_factor = 0x1p24 / double(config.frame_length);
  if (weights) {
    derive_product(*weights, kernels.product_rows);
    narrow_ = derive_variant(config, kernels.product_narrow);
    wide_ = derive_variant(config, kernels.product_wide);
    flushes_subnormals_ = hides_subnormals(config, recipe) && are_modest(product_, largest_factor);
    return;
  }
  transform_.derive(config, recipe, kernels.factor_copies, common_);
  if (common_.num_passes == 0) {
    fallback_rfft_ = {kernels.rfft_create(config.dft_length), kernels.rfft_destroy};
    if (!fallback_rfft_) throw std::bad_alloc();
    common_.fallback_rfft = fallback_rfft_.get();
  }
  if (config.mel) {
    derive_filterbank(recipe);
    derive_conditioning(config);
    derive_rows(config, recipe);
  }
  constexpr double kLargestWeight = 32;
  flushes_subnormals_ = hides_subnormals(config, recipe) &&
                        are_modest(transform_.window(), largest_factor) &&
                        are_modest(mel_weights_, kLargestWeight) &&
                        are_modest(dense_weights_, kLargestWeight) && gains_hide_subnormals();

  // A tile of a very long transform would only thrash the caches.
  constexpr int64_t kMaxTileBytes = int64_t(8) << 20;
  const bool wide_fits =
      config.dft_length * kernels.wide.lanes * int64_t(sizeof(T)) <= kMaxTileBytes;
  narrow_ = derive_variant(config, kernels.narrow);
  wide_ = derive_variant(config, wide_fits ? kernels.wide : kernels.narrow);
}

// What is taken for zero changes no value of the spectrum beyond 2^-75, where a float32 of 2^-101
// is lost to rounding anyway. Its power is 2^-150; even the magnitude, summed over 2^20 bins with
// weights up to 32, stays below 2^-50.
template <typename T>
bool PrecisionPlan<T>::hides_subnormals(const Config& config, const Recipe& recipe) const {
  constexpr double kSmallestFloor = 0x1p-50;
  // A larger gain could bring them up there.
  if (config.input_gain > 1) return false;
  if (config.mel) {
    return recipe.level_op != LevelOp::kIdentity &&
           std::max(recipe.level_addend, recipe.min_power) >= kSmallestFloor && config.mag_exp >= 1;
  }
  return traits_of(config.spectrum_op).floor != EpsilonFloor::kNone &&
         recipe.power_floor >= kSmallestFloor;
}

// Levels have digits of 2^-24, so that a product with such a gain is no subnormal number.
template <typename T>
bool PrecisionPlan<T>::gains_hide_subnormals() const {
  constexpr T kSmallestGain = T(0x1p-100);
  return are_modest(row_offset_) && std::all_of(row_gain_.begin(), row_gain_.end(), [](T gain) {
           return gain == 0 || std::abs(gain) >= kSmallestGain;
         });
}

template <typename T>
void PrecisionPlan<T>::derive_common(const Config& config, const Recipe& recipe) {
  common_.frame_length = config.frame_length;
  common_.dft_length = config.dft_length;
  common_.num_bins = config.num_bins;
  common_.num_output_rows = num_static_rows(config);
  common_.spectrum_op = config.spectrum_op;
  common_.power_floor = T(recipe.power_floor);
  common_.phase_origin = recipe.phase_origin;
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
  common_.interval_begin = interval_begin_.data();
  common_.mel_weights = mel_weights_.data();
  if (!recipe.dense_filterbank.empty()) derive_dense(recipe);
  common_.power_law = recipe.power_law;
  common_.half_exponent = recipe.half_exponent;
  common_.level_op = recipe.level_op;
  common_.power_offset = T(recipe.power_offset);
  common_.level_addend = T(recipe.level_addend);
  common_.min_power = T(recipe.min_power);
  common_.reference_level = T(recipe.reference_level);
}

// Keeps, for each band, the weights from its first bin that is not zero to its last one.
template <typename T>
void PrecisionPlan<T>::derive_dense(const Recipe& recipe) {
  const int64_t num_bands = common_.num_bands;
  const auto weight = [&](int64_t bin, int64_t band) {
    return recipe.dense_filterbank[std::size_t(bin * num_bands + band)];
  };
  for (int64_t band = 0; band < num_bands; ++band) {
    int64_t begin = 0, end = common_.num_bins;
    while (begin < end && weight(begin, band) == 0) ++begin;
    while (end > begin && weight(end - 1, band) == 0) --end;
    dense_begin_.insert(dense_begin_.end(), {int32_t(begin), int32_t(end)});
    for (int64_t bin = begin; bin < end; ++bin) dense_weights_.push_back(T(weight(bin, band)));
  }
  common_.dense_range = dense_begin_.data();
  common_.dense_weights = dense_weights_.data();
}

template <typename T>
void PrecisionPlan<T>::derive_conditioning(const Config& config) {
  // Kaldi's: the machine epsilon of float32.
  constexpr double kSmallestEnergy = 0x1p-23;
  Conditioning<T>& conditioning = common_.conditioning;
  conditioning.is_used = config.conditions_frames();
  if (!conditioning.is_used) return;
  conditioning.removes_mean = config.remove_dc;
  conditioning.inverse_length = T(1 / double(config.frame_length));
  if (!config.filters_signal()) conditioning.coefficient = T(config.preemphasis);
  conditioning.energy = config.energy;
  // The gain is part of the window, which the own transform halves.
  const double window_gain = common_.num_passes > 0 ? 0.5 : 1;
  const double gain = config.energy == FrameEnergy::kWindowed ? 1 / window_gain : config.input_gain;
  conditioning.energy_gain = T(gain * gain);
  conditioning.energy_floor = T(std::max(config.energy_floor, kSmallestEnergy));
}

template <typename T>
void PrecisionPlan<T>::derive_rows(const Config& config, const Recipe& recipe) {
  RowsBehindLevels<T>& behind = common_.behind_levels;
  behind.has_energy = config.energy != FrameEnergy::kNone;
  behind.num_cepstra = config.num_cepstra;
  cosines_ = in_blocks<T>(recipe.cosines, config.num_cepstra, config.num_mel_bins,
                          (config.num_mel_bins + 1) / 2);
  behind.cosines = cosines_.data();
  if (!config.row_gain.empty() || !config.row_offset.empty()) {
    const std::size_t count = std::size_t(common_.num_output_rows);
    row_gain_.assign(count, T(1));
    row_offset_.assign(count, T(0));
    std::copy(config.row_gain.begin(), config.row_gain.end(), row_gain_.begin());
    std::copy(config.row_offset.begin(), config.row_offset.end(), row_offset_.begin());
    behind.gain = row_gain_.data();
    behind.offset = row_offset_.data();
  }
  // With one positive gain and one offset for all, a clamp before is a clamp behind.
  const bool is_uniform =
      !behind.gain || (row_gain_[0] > 0 && is_constant(row_gain_) && is_constant(row_offset_));
  const bool has_more = behind.has_energy || behind.num_cepstra > 0;
  defers_rows_ = common_.track_extrema && (has_more || !is_uniform);
  behind.is_used = has_more || defers_rows_;
  clamp_range_ = config.top_db * (behind.gain && !defers_rows_ ? double(row_gain_[0]) : 1);
}

template <typename T>
void PrecisionPlan<T>::derive_offsets(const Config& config, TileVariant<T>& variant) const {
  TilePlan<T>& tile = variant.tile;
  std::vector<uint32_t> offsets(std::size_t(config.frame_length) + 1, 0);
  for (int64_t n = 0; n < config.frame_length; ++n)
    offsets[std::size_t(n)] = uint32_t(n % config.hop * tile.hop_columns + n / config.hop);
  variant.sample_offset = offsets;
  if (tile.conditioning.is_used) {
    for (int64_t n = 0; n <= config.frame_length; ++n)
      variant.sample_offset[std::size_t(n)] = uint32_t(n * variant.kernel->lanes);
    variant.hop_offset = std::move(offsets);
    tile.conditioning.hop_offset = variant.hop_offset.data();
  }
  tile.sample_offset = variant.sample_offset.data();
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
  derive_offsets(config, variant);
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
  derive(make_recipe(config_), trained ? &weights : nullptr);
}

Plan::Plan(Config config, const Recipe& recipe)
    : config_(std::move(config)), fingerprint_(engine::fingerprint(config_)) {
  derive(recipe, nullptr);
}

void Plan::derive(const Recipe& recipe, const GivenWeights* weights) {
  if (config_.precision == Precision::kFloat32) {
    precision_ = std::make_unique<PrecisionPlan<float>>(config_, recipe, kernels(), weights);
  } else {
    precision_ = std::make_unique<PrecisionPlan<double>>(config_, recipe, kernels(), weights);
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

int64_t Plan::num_rows() const { return engine::num_rows(config_); }

std::size_t Plan::workspace_bytes() const {
  return std::visit([](const auto& plan) { return plan->workspace_bytes(); }, precision_);
}

}  // namespace specfast::engine
