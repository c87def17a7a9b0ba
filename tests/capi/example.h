// SPDX-License-Identifier: BSD-3-Clause
// Good arguments for every function: settings, a plan with trained kernels, and the arrays of a
// call, each in memory of its own.
#pragma once

#include <vector>

#include "arguments.h"

namespace fuzz {

struct Example {
  // dtype of the plan and of all arrays.
  explicit Example(std::int32_t its_dtype);
  ~Example();
  Example(const Example&) = delete;
  Example& operator=(const Example&) = delete;

  specfast_block block() const;

  const std::int32_t dtype;
  specfast_config config;  // mode MAGNITUDE: both kernels, and spectra worth keeping
  std::vector<double> window;
  Buffer real, imag;  // the plan's kernels
  specfast_weights weights = {};
  specfast_plan* plan = nullptr;
  specfast_workspace* workspace = nullptr;
  Buffer input, output, kept;
  specfast_batch batch = {};
  Buffer signal, real_gradient, imag_gradient;
  specfast_gradient gradient = {};
  specfast_stream_config stream_config;
  specfast_stream* stream = nullptr;  // prepared
};

}  // namespace fuzz
