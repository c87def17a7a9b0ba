// SPDX-License-Identifier: BSD-3-Clause
#include "engine/plan/plan.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "engine/plan/dispatch.h"
#include "engine/spec/filterbank.h"
#include "engine/spec/fingerprint.h"
#include "engine/spec/geometry.h"
#include "engine/spec/modes.h"
#include "engine/spec/twiddle.h"
#include "engine/spec/window.h"

namespace specfast::engine {
namespace {

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

template <typename T>
std::vector<T> rounded(const std::vector<double>& values) {
  return std::vector<T>(values.begin(), values.end());
}

// Tables of factors are read by aligned loads where they hold copies.
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= kColumnGroupBytes);

template <typename T>
void append_factor(double value, int64_t copies, std::vector<T>& table) {
  table.insert(table.end(), std::size_t(copies), T(value));
}

// The samples that the first pass reads, in its order: [length/radix][2 * radix].
template <typename T>
std::vector<int64_t> samples_of_first_pass(const FftPass<T>& pass) {
  const int64_t leg = pass.length / pass.radix;
  std::vector<int64_t> samples;
  samples.reserve(std::size_t(2 * pass.length));
  for (int64_t j = 0; j < leg; ++j) {
    for (int64_t point = j; point < pass.length; point += leg)
      samples.insert(samples.end(), {2 * point, 2 * point + 1});
  }
  return samples;
}

// Keras' order of operations: the magnitude is floored at epsilon after the power has been.
double power_floor(const Config& config) {
  const double epsilon = config.epsilon;
  return traits_of(config.spectrum_op).floor == EpsilonFloor::kPowerAndMagnitude
             ? std::max(epsilon, epsilon * epsilon)
             : epsilon;
}

}  // namespace

template <typename T>
PrecisionPlan<T>::PrecisionPlan(const Config& config, const KernelTable& table,
                                const GivenWeights* weights) {
  const PrecisionKernels<T>& kernels = kernels_of<T>(table);
  derive_common(config, common_);
  if (weights) {
    derive_product(*weights, kernels.product_rows, common_);
    narrow_ = derive_width(config, kernels.product_narrow);
    wide_ = derive_width(config, kernels.product_wide);
    return;
  }
  derive_transform(config, kernels.factor_copies, common_);
  if (common_.num_passes == 0) {
    fallback_rfft_ = {kernels.rfft_create(config.dft_length), kernels.rfft_destroy};
    if (!fallback_rfft_) throw std::bad_alloc();
    common_.fallback_rfft = fallback_rfft_.get();
  }
  if (config.mel) derive_mel(config, common_);

  // A tile of a very long transform would only thrash the caches.
  constexpr int64_t kMaxTileBytes = int64_t(8) << 20;
  const bool wide_fits =
      config.dft_length * kernels.wide.lanes * int64_t(sizeof(T)) <= kMaxTileBytes;
  narrow_ = derive_width(config, kernels.narrow);
  wide_ = derive_width(config, wide_fits ? kernels.wide : kernels.narrow);
}

template <typename T>
void PrecisionPlan<T>::derive_common(const Config& config, TilePlan<T>& tile) {
  tile.frame_length = config.frame_length;
  tile.dft_length = config.dft_length;
  tile.num_bins = config.num_bins;
  tile.num_output_rows = config.num_bins * traits_of(config.spectrum_op).rows_per_bin;
  tile.spectrum_op = config.spectrum_op;
  tile.power_floor = T(power_floor(config));
  tile.hop_rows = std::min(config.hop, config.frame_length);
}

template <typename T>
void PrecisionPlan<T>::derive_transform(const Config& config, int64_t factor_copies,
                                        TilePlan<T>& tile) {
  // Longer transforms leave the caches, where pocketfft's order of access is the better one; and a
  // frame that wraps around (longer than the transform) is folded on that path only.
  constexpr int64_t kMaxOwnLength = 1 << 16;
  const int64_t num_points = config.dft_length / 2;
  std::vector<int64_t> radices;
  if (config.dft_length % 2 == 0 && config.dft_length <= kMaxOwnLength &&
      config.frame_length <= config.dft_length) {
    radices = factorize(num_points);
  }

  const double divisor =
      window_divisor(config.window, config.window.empty() ? Scaling::kNone : config.scaling);
  const double gain = (radices.empty() ? 1.0 : 0.5) / divisor;
  window_.assign(std::size_t(std::max(config.dft_length, config.frame_length)), T(0));
  for (std::size_t n = 0; n < std::size_t(config.frame_length); ++n) {
    window_[n] = T((config.window.empty() ? 1.0 : config.window[n]) * gain);
  }
  tile.window = window_.data();
  if (radices.empty()) return;

  tile.num_passes = int64_t(radices.size());
  int64_t length = num_points;
  for (std::size_t level = 0; level < radices.size(); ++level) {
    const int64_t radix = radices[level];
    std::vector<T> twiddles;
    twiddles.reserve(std::size_t((length / radix - 1) * 2 * (radix - 1) * factor_copies));
    for (int64_t j = 1; j < length / radix; ++j) {
      for (int64_t q = 1; q < radix; ++q) {
        const Turn w = turn(j * q, length);
        append_factor(w.cosine, factor_copies, twiddles);
        append_factor(-w.sine, factor_copies, twiddles);
      }
    }
    pass_twiddles_.push_back(std::move(twiddles));
    tile.passes[level] = {radix, length, pass_twiddles_.back().data()};
    length /= radix;
  }
  derive_first_factors(factor_copies, tile);
  for (int64_t k = 0; k <= config.dft_length / 4; ++k) {
    const Turn w = turn(k, config.dft_length);
    real_twiddles_.push_back(T(w.cosine));
    real_twiddles_.push_back(T(w.sine));
  }
  tile.real_twiddles = real_twiddles_.data();
  bin_place_ = output_places(radices, num_points);
  tile.bin_place = bin_place_.data();
}

template <typename T>
void PrecisionPlan<T>::derive_first_factors(int64_t factor_copies, TilePlan<T>& tile) {
  const FftPass<T>& pass = tile.passes[0];
  const int64_t num_samples = 2 * pass.radix;
  const int64_t num_twiddles = 2 * (pass.radix - 1) * factor_copies;
  const int64_t leg = pass.length / pass.radix;
  first_factors_.reserve(std::size_t(leg * (num_samples * factor_copies + num_twiddles)));
  const std::vector<int64_t> samples = samples_of_first_pass(pass);
  auto sample = samples.begin();
  for (int64_t j = 0; j < leg; ++j) {
    for (int64_t i = 0; i < num_samples; ++i)
      append_factor(tile.window[*sample++], factor_copies, first_factors_);
    if (j == 0) {
      append_factor(0, num_twiddles, first_factors_);
    } else {
      const T* const twiddles = pass.twiddles + (j - 1) * num_twiddles;
      first_factors_.insert(first_factors_.end(), twiddles, twiddles + num_twiddles);
    }
  }
  tile.first_factors = first_factors_.data();
}

template <typename T>
void PrecisionPlan<T>::derive_product(const GivenWeights& weights, int64_t block_rows,
                                      TilePlan<T>& tile) {
  const int64_t kernels_of_bin = weights.real && weights.imag ? 2 : 1;
  const int64_t bins_of_block = block_rows / kernels_of_bin;
  const int64_t num_blocks = (tile.num_bins + bins_of_block - 1) / bins_of_block;
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
  tile.product = product_.data();
}

template <typename T>
void PrecisionPlan<T>::derive_mel(const Config& config, TilePlan<T>& tile) {
  Filterbank bank = make_filterbank(config.num_mel_bins, config.num_bins, config.sampling_rate_hz,
                                    config.min_freq_hz, config.max_freq_hz);
  interval_begin_ = std::move(bank.interval_begin);
  mel_weights_ = rounded<T>(bank.weights);
  tile.num_bands = config.num_mel_bins;
  tile.num_output_rows = config.num_mel_bins;
  tile.interval_begin = interval_begin_.data();
  tile.mel_weights = mel_weights_.data();
  tile.power_law = config.mag_exp == 2   ? PowerLaw::kSquare
                   : config.mag_exp == 1 ? PowerLaw::kIdentity
                                         : PowerLaw::kGeneral;
  tile.half_exponent = config.mag_exp / 2;
  tile.level_op = config.level_op;
  tile.min_power = T(config.min_power);
  if (config.level_op == LevelOp::kDecibel) {
    tile.reference_db = T(10 * std::log10(std::max(std::abs(config.ref_power), config.min_power)));
  }
  tile.track_extrema = config.top_db_scope != TopDbScope::kNone;
}

template <typename T>
Width<T> PrecisionPlan<T>::derive_width(const Config& config, const TileKernel<T>& kernel) {
  Width<T> width;
  width.kernel = &kernel;
  width.tile = common_;
  const int64_t overlapping_hops = (config.frame_length - 1) / config.hop;
  width.tile.hop_columns =
      round_up(kernel.lanes + overlapping_hops, kColumnGroupBytes / int64_t(sizeof(T)));
  width.sample_offset.assign(std::size_t(config.frame_length) + 1, 0);
  for (int64_t n = 0; n < config.frame_length; ++n) {
    width.sample_offset[std::size_t(n)] =
        uint32_t(n % config.hop * width.tile.hop_columns + n / config.hop);
  }
  width.tile.sample_offset = width.sample_offset.data();
  if (width.tile.num_passes > 0) {
    for (const int64_t n : samples_of_first_pass(width.tile.passes[0])) {
      const int64_t in_frame = std::min(n, config.frame_length);
      width.first_offset.push_back(width.sample_offset[std::size_t(in_frame)]);
    }
    width.tile.first_offset = width.first_offset.data();
  }
  width.tile_bytes = kernel.workspace_bytes(width.tile);
  width.staging_bytes = std::size_t(
      round_up(checked_multiply(width.tile.hop_rows * width.tile.hop_columns, sizeof(T)),
               int64_t(kWorkspaceAlignment)));
  return width;
}

template <typename T>
std::size_t PrecisionPlan<T>::workspace_bytes() const {
  return std::max(wide_.tile_bytes + wide_.staging_bytes,
                  narrow_.tile_bytes + narrow_.staging_bytes);
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
  if (config_.precision == Precision::kFloat32) {
    precision_ = std::make_unique<PrecisionPlan<float>>(config_, kernels(), used);
  } else {
    precision_ = std::make_unique<PrecisionPlan<double>>(config_, kernels(), used);
  }
  std::vector<double>().swap(config_.window);  // its place is the tile plan now
}

bool Plan::is_analytic() const {
  return std::visit([](const auto& plan) { return !plan->wide().tile.product; }, precision_);
}

int64_t Plan::num_kept(int64_t num_samples) const {
  if (is_analytic() || traits_of(config_.spectrum_op).is_linear) return 0;
  const int64_t frames = num_frames(config_, num_samples);
  return std::visit(
      [frames](const auto& plan) {
        const auto& wide = plan->wide();
        const int64_t lanes = wide.kernel->lanes;
        return checked_multiply((frames + lanes - 1) / lanes, spectrum_values(wide));
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
