// SPDX-License-Identifier: BSD-3-Clause
// A plan for a device: the recipe of a configuration, handed to the backend.
#pragma once

#include "engine/spec/config.h"
#include "seam/backend.h"

namespace specfast::engine {

class DevicePlan {
 public:
  DevicePlan(const specfast_config& raw, int32_t device, int64_t workspace_bytes);
  ~DevicePlan();
  DevicePlan(const DevicePlan&) = delete;
  DevicePlan& operator=(const DevicePlan&) = delete;

  // Checks the batch, then puts it into the stream.
  void execute(const specfast_batch& batch, int32_t out_dtype, void* stream) const;

 private:
  Config config_;
  const Backend& backend_;
  void* plan_ = nullptr;
};

}  // namespace specfast::engine
