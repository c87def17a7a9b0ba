// SPDX-License-Identifier: BSD-3-Clause
// Everything derived from the configuration of a transform that is to be inverted. Immutable;
// shared between threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/plan/plan.h"
#include "engine/spec/synthesis.h"

namespace specfast::engine {

class InversePlan {
 public:
  // `options` may be null. Throws Error for what cannot be inverted.
  InversePlan(const specfast_config& raw, const specfast_inverse_options* options);

  // Returns the configuration of the forward transform.
  const Config& config() const { return config_; }
  const Synthesis& synthesis() const { return synthesis_; }
  // Returns the forward transform with the synthesis window, times 2 / dft_length, of whole frames.
  // Its tables serve the inverse, and it is the gradient of the inverse but for the factors of the
  // bins that are their own mirror images.
  const Plan& adjoint() const { return adjoint_; }
  template <typename T>
  const PrecisionPlan<T>& precision() const {
    return adjoint_.precision<T>();
  }
  // Returns the sample of a frame at which phases are 0.
  int64_t phase_origin() const { return phase_origin_; }
  uint64_t fingerprint() const { return fingerprint_; }

  // Return how many values the hops take up that a tile finishes, and those that it hands on.
  template <typename T>
  int64_t finished_values() const {
    return precision<T>().wide().kernel->lanes * config_.hop;
  }
  template <typename T>
  int64_t carried_values() const {
    const TileVariant<T>& wide = precision<T>().wide();
    return (wide.tile.hop_columns - wide.kernel->lanes) * config_.hop;
  }
  // Returns the scratch memory of the kernels for a tile, and the workspace of one thread, in which
  // finished and carried values follow it. Both are multiples of kWorkspaceAlignment.
  template <typename T>
  std::size_t tile_bytes() const;
  std::size_t workspace_bytes() const;

 private:
  InversePlan(Config config, const specfast_inverse_options& options);

  Config config_;
  int64_t phase_origin_;
  uint64_t fingerprint_;
  Synthesis synthesis_;
  Plan adjoint_;
};

// Checks the configuration and the options of an inverse.
Config validate_inverse(const specfast_config& raw, const specfast_inverse_options& options);

}  // namespace specfast::engine
