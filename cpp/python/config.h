// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.Config: the settings of a plan, field by field.
#pragma once

#include <optional>
#include <string>

#include "python/arrays.h"

namespace specfast_python {

struct Config {
  using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;

  // The defaults of the Keras layer that has this mode. ValueError for an unknown mode.
  explicit Config(const std::string& mode);

  // The settings as the C ABI takes them. They point to the values of the arrays, so this object
  // must outlive them unchanged. ValueError unless the window has frame_length values, and gain and
  // offset one for each row.
  specfast_config with_window() const;

  specfast_config fields;  // without the arrays
  std::optional<Doubles> window, mel_weights, row_gain, row_offset;

 private:
  std::int64_t num_rows() const;
  const double* weight_values() const;
  const double* row_values(const char* name, const std::optional<Doubles>& values) const;
};

// Which trained kernels a mode has.
bool has_real_kernel(std::int32_t mode);
bool has_imag_kernel(std::int32_t mode);
// (frame_length, 1, bins): the shape of each kernel, as Keras has it.
Shape kernel_shape(const specfast_config& config);

}  // namespace specfast_python
