// SPDX-License-Identifier: BSD-3-Clause
// The classes specfast._core.DevicePlan and DeviceMemory: plans and memory of a device, whose
// arrays are addresses, shapes and strides in bytes.
#pragma once

#include <memory>
#include <string>

#include "python/plan.h"

namespace specfast_python {

// Where an array lies that Python cannot read.
struct DeviceArray {
  std::uintptr_t address;
  Shape shape, strides;  // strides in bytes
  std::int32_t dtype;    // specfast_dtype
};

// "float32" and so on; ValueError for a dtype that a device does not have.
std::int32_t device_dtype(const std::string& name);
std::int64_t device_element_bytes(std::int32_t dtype);

class DevicePlan {
 public:
  // `plan` is that of the same configuration on the CPU, which knows frames and axes.
  DevicePlan(const Config& config, const Plan& plan, std::int32_t device,
             std::int64_t workspace_bytes);
  ~DevicePlan();
  DevicePlan(const DevicePlan&) = delete;
  DevicePlan& operator=(const DevicePlan&) = delete;

  // Puts the computation of x into a stream; the output, which is contiguous, is of `out_dtype`.
  void execute(const DeviceArray& x, std::uintptr_t out, std::int32_t out_dtype,
               std::uintptr_t stream, double scale) const;

 private:
  py::object owner_;  // of plan_
  const Plan& plan_;
  std::unique_ptr<specfast::DevicePlan> device_plan_;
};

class DeviceMemory {
 public:
  DeviceMemory(std::int32_t device, std::int64_t num_bytes);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  std::uintptr_t address() const;
  // What work that writes to this memory reads; let go after the memory, for which the device
  // waits.
  py::object keeps = py::none();
  // Both take a contiguous array of as many bytes at most, wait for the stream and until they are
  // done.
  void fill(const py::array& from, std::uintptr_t stream);
  void read(py::array& to, std::uintptr_t stream) const;

 private:
  std::int64_t num_bytes_;
  std::unique_ptr<specfast::DeviceMemory> memory_;
};

}  // namespace specfast_python
