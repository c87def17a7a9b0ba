// SPDX-License-Identifier: BSD-3-Clause
#include "engine/plan/transform_tables.h"

#include <algorithm>

#include "engine/spec/twiddle.h"

namespace specfast::engine {
namespace {

// Tables of factors are read by aligned loads where they hold copies.
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= kColumnGroupBytes);

template <typename T>
void append_factor(double value, int64_t copies, std::vector<T>& table) {
  table.insert(table.end(), std::size_t(copies), T(value));
}

// Returns no radices where pocketfft computes the transform.
std::vector<int64_t> radices_of(const Config& config) {
  // Longer transforms leave the caches, where pocketfft's order of access is the better one; and a
  // frame that wraps around (longer than the transform) is folded on that path only.
  constexpr int64_t kMaxOwnLength = 1 << 16;
  if (config.dft_length % 2 != 0 || config.dft_length > kMaxOwnLength ||
      config.frame_length > config.dft_length) {
    return {};
  }
  return factorize(config.dft_length / 2);
}

template <typename T>
std::vector<T> twiddles_of_pass(int64_t radix, int64_t length, int64_t factor_copies) {
  std::vector<T> twiddles;
  twiddles.reserve(std::size_t((length / radix - 1) * 2 * (radix - 1) * factor_copies));
  for (int64_t j = 1; j < length / radix; ++j) {
    for (int64_t q = 1; q < radix; ++q) {
      const Turn w = turn(j * q, length);
      append_factor(w.cosine, factor_copies, twiddles);
      append_factor(-w.sine, factor_copies, twiddles);
    }
  }
  return twiddles;
}

}  // namespace

template <typename T>
void TransformTables<T>::derive(const Config& config, const Recipe& recipe, int64_t factor_copies,
                                TilePlan<T>& tile) {
  const std::vector<int64_t> radices = radices_of(config);
  // The untangling of the own transform doubles.
  derive_window(config, recipe, radices.empty() ? 1.0 : 0.5, tile);
  if (radices.empty()) return;
  derive_passes(radices, factor_copies, tile);
  derive_first_pass(factor_copies, tile);
  for (int64_t k = 0; k <= config.dft_length / 4; ++k) {
    const Turn w = turn(k, config.dft_length);
    real_twiddles_.push_back(T(w.cosine));
    real_twiddles_.push_back(T(w.sine));
  }
  tile.real_twiddles = real_twiddles_.data();
  bin_place_ = output_places(radices, config.dft_length / 2);
  tile.bin_place = bin_place_.data();
}

template <typename T>
void TransformTables<T>::derive_window(const Config& config, const Recipe& recipe, double gain,
                                       TilePlan<T>& tile) {
  window_.assign(std::size_t(std::max(config.dft_length, config.frame_length)), T(0));
  std::transform(recipe.window.begin(), recipe.window.end(), window_.begin(),
                 [gain](double value) { return T(value * gain); });
  tile.window = window_.data();
}

template <typename T>
void TransformTables<T>::derive_passes(const std::vector<int64_t>& radices, int64_t factor_copies,
                                       TilePlan<T>& tile) {
  tile.num_passes = int64_t(radices.size());
  int64_t length = tile.dft_length / 2;
  for (std::size_t level = 0; level < radices.size(); ++level) {
    const int64_t radix = radices[level];
    pass_twiddles_.push_back(twiddles_of_pass<T>(radix, length, factor_copies));
    tile.passes[level] = {radix, length, pass_twiddles_.back().data()};
    length /= radix;
  }
}

template <typename T>
void TransformTables<T>::derive_first_pass(int64_t factor_copies, TilePlan<T>& tile) {
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

template class TransformTables<float>;
template class TransformTables<double>;
template std::vector<int64_t> samples_of_first_pass(const FftPass<float>&);
template std::vector<int64_t> samples_of_first_pass(const FftPass<double>&);

}  // namespace specfast::engine
