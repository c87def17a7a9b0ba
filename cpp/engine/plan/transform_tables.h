// SPDX-License-Identifier: BSD-3-Clause
// The window and the tables of the own transform, in the precision and the order that the kernels
// read.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/spec/config.h"
#include "engine/spec/recipe.h"
#include "seam/kernel_table.h"

namespace specfast::engine {

// Owns what TilePlan points at.
template <typename T>
class TransformTables {
 public:
  // Fills the window of the tile and, if the own transform has this length, its passes and tables;
  // else num_passes stays 0. Factors are held `factor_copies` times (PrecisionKernels).
  void derive(const Config& config, const Recipe& recipe, int64_t factor_copies, TilePlan<T>& tile);

  // Returns the window with zeros behind it.
  const std::vector<T>& window() const { return window_; }

 private:
  void derive_window(const Config& config, const Recipe& recipe, double gain, TilePlan<T>& tile);
  void derive_passes(const std::vector<int64_t>& radices, int64_t factor_copies, TilePlan<T>& tile);
  void derive_first_pass(int64_t factor_copies, TilePlan<T>& tile);

  std::vector<T> window_, first_factors_, real_twiddles_;
  std::vector<std::vector<T>> pass_twiddles_;
  std::vector<uint32_t> bin_place_;
};

extern template class TransformTables<float>;
extern template class TransformTables<double>;

// Returns the samples that the first pass reads, in its order: [length/radix][2 * radix].
template <typename T>
std::vector<int64_t> samples_of_first_pass(const FftPass<T>& pass);

}  // namespace specfast::engine
