// SPDX-License-Identifier: BSD-3-Clause
// One call of the library with all its arguments, drawn from a seed.
#pragma once

#include <specfast/specfast.h>

#include <cstdint>
#include <string>
#include <vector>

namespace differential {

enum class Kind {
  kExecute,
  kStream,
  kGradient,
  kTrained,  // kernels in place of window and transform, and their gradients
  kInverse,  // at once and as a stream
  kInverseGradient,
  kGriffinLim,
  kUnmix,
  kTables
};

enum class Shape { kNoise, kSilences, kSawtooth, kDecay };

struct Problem {
  std::string group;
  Kind kind = Kind::kExecute;
  // Of the signal and of all else that the call is given.
  std::uint64_t seed = 0;
  // Its arrays are those below.
  specfast_config config = {};
  std::vector<double> window, mel_weights, row_gain, row_offset;
  Shape shape = Shape::kNoise;
  std::int32_t in_dtype = SPECFAST_FLOAT32;
  double in_scale = 0;
  std::int64_t num_batches = 1, num_channels = 1, num_samples = 0;
  // Of inverses and bands.
  std::int64_t num_frames = 0, num_iterations = 1;
  specfast_inverse_options inverse_options = {};
  // Samples of channels lie side by side.
  bool is_interleaved = false;
  // Frames lie side by side in each row.
  bool is_transposed = false;

  // The configuration in this dtype, with its arrays, which live as long as the problem.
  specfast_config settings(std::int32_t dtype) const;
  bool is_linear() const;
  std::string describe() const;
};

// The number of groups, which take turns.
std::int64_t num_groups();
Problem draw(std::uint64_t seed, std::int64_t index);

}  // namespace differential
