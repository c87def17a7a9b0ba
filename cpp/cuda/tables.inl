// SPDX-License-Identifier: BSD-3-Clause
// The tables of a plan, made on the host and copied to the device in one piece.
#pragma once

#include <cstring>
#include <vector>

#include "cuda/kernels/plan.h"
#include "cuda/kernels/transform.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// Arrays that follow each other in one piece of memory.
class TableBuilder {
 public:
  // Appends an array and returns its place.
  template <typename T>
  std::size_t add(const std::vector<T>& values) {
    const std::size_t begin = (bytes_.size() + 15) / 16 * 16;
    bytes_.resize(begin + values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(bytes_.data() + begin, values.data(), bytes_.size() - begin);
    return begin;
  }
  const std::vector<unsigned char>& bytes() const { return bytes_; }

 private:
  std::vector<unsigned char> bytes_;
};

// Calls body(shape) with the TransformShape of a transform of so many real points.
template <int kLogPoints = kMinLogPoints, typename Body>
void with_shape(int64_t dft_length, const Body& body) {
  if (dft_length == 2 << kLogPoints) {
    body(TransformShape<kLogPoints>());
  } else if constexpr (kLogPoints < kMaxLogPoints) {
    with_shape<kLogPoints + 1>(dft_length, body);
  }
}

// Tells whether the fused kernel has this transform. In double precision points do not fit the
// registers.
template <typename T>
bool has_fused_kernel(const BackendRecipe& recipe) {
  bool has_shape = false;
  with_shape(recipe.dft_length, [&](auto) { has_shape = true; });
  return sizeof(T) == 4 && has_shape && recipe.frame_length <= recipe.dft_length;
}

template <typename T>
std::vector<T> rounded(const double* values, int64_t count, double factor = 1) {
  std::vector<T> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(T(values[i] * factor));
  return result;
}

// The factors of a pass; see DevicePlan.
template <typename T>
std::vector<T> pass_factors(const double* roots, int64_t dft_length, int64_t radix,
                            int64_t length) {
  std::vector<T> factors;
  for (int64_t q = 1; q < radix; ++q) {
    for (int64_t k = 0; k < length; ++k) {
      const int64_t root = k * q * (dft_length / (length * radix));
      factors.push_back(T(roots[2 * root]));
      factors.push_back(T(-roots[2 * root + 1]));
    }
  }
  return factors;
}

// Fills in what does not point to tables.
template <typename T>
DevicePlan<T> plan_of_recipe(const BackendRecipe& recipe) {
  DevicePlan<T> plan{};
  TilePlan<T>& tile = plan.tile;
  tile.frame_length = recipe.frame_length;
  tile.dft_length = recipe.dft_length;
  tile.num_bins = recipe.num_bins;
  tile.spectrum_op = recipe.spectrum_op;
  tile.power_floor = T(recipe.power_floor);
  tile.num_bands = recipe.num_bands;
  tile.power_law = recipe.power_law;
  tile.half_exponent = recipe.half_exponent;
  tile.level_op = recipe.level_op;
  tile.min_power = T(recipe.min_power);
  tile.reference_level = T(recipe.reference_level);
  tile.track_extrema = recipe.top_db_scope != TopDbScope::kNone;
  plan.hop = recipe.hop;
  plan.padding = recipe.padding;
  plan.top_db = T(recipe.top_db);
  plan.has_common_maximum = recipe.top_db_scope == TopDbScope::kBatch;
  return plan;
}

// The places of the tables of a plan in their memory, and that memory.
template <typename T>
class PlanTables {
 public:
  explicit PlanTables(const BackendRecipe& recipe, bool is_fused) {
    // The untangling of a half-length transform leaves out a factor of one half.
    std::vector<T> window = rounded<T>(recipe.window, recipe.frame_length, is_fused ? 0.5 : 1);
    // Zeros follow up to the length of the transform, so that pairs need no end.
    if (is_fused) window.resize(std::size_t(recipe.dft_length));
    window_ = builder_.add(window);
    if (is_fused) add_factors(recipe);
    if (recipe.num_bands == 0) return;
    const int32_t* const begin = recipe.interval_begin;
    intervals_ = builder_.add(std::vector<int32_t>(begin, begin + recipe.num_bands + 2));
    weights_ = builder_.add(rounded<T>(recipe.mel_weights, 2 * recipe.num_bins));
  }

  const std::vector<unsigned char>& bytes() const { return builder_.bytes(); }

  // Points a plan to the tables, copied to this memory.
  void place(const unsigned char* memory, DevicePlan<T>& plan) const {
    const auto at = [memory](std::size_t begin) {
      return reinterpret_cast<const T*>(memory + begin);
    };
    plan.tile.window = at(window_);
    plan.tile.num_passes = int64_t(passes_.size());
    for (std::size_t pass = 0; pass < passes_.size(); ++pass)
      plan.tile.passes[pass].twiddles = at(passes_[pass]);
    plan.tile.real_twiddles = at(real_);
    plan.tile.interval_begin = reinterpret_cast<const int32_t*>(memory + intervals_);
    plan.tile.mel_weights = at(weights_);
  }

 private:
  void add_factors(const BackendRecipe& recipe) {
    with_shape(recipe.dft_length, [&](auto shape) {
      for (int pass = 0; pass < shape.kNumPasses; ++pass) {
        passes_.push_back(builder_.add(pass_factors<T>(recipe.roots, recipe.dft_length,
                                                       shape.radix(pass), shape.length(pass))));
      }
    });
    real_ = builder_.add(rounded<T>(recipe.roots, recipe.dft_length / 2 + 2));
  }

  TableBuilder builder_;
  std::size_t window_ = 0, real_ = 0, intervals_ = 0, weights_ = 0;
  std::vector<std::size_t> passes_;
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
