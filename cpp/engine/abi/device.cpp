// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of devices.
#include <cstring>

#include "engine/abi/checks.h"
#include "engine/device/backend.h"
#include "engine/device/device_plan.h"

using namespace specfast::engine;

struct specfast_device_plan : DevicePlan {
  using DevicePlan::DevicePlan;
};

namespace {

void require_num_bytes(int64_t num_bytes) {
  if (num_bytes >= 0) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "num_bytes must not be negative, received num_bytes=" + std::to_string(num_bytes));
}

void require_copy(const void* to, const void* from, int64_t num_bytes) {
  require_num_bytes(num_bytes);
  if (num_bytes == 0) return;
  require_pointer("to", to, 1);
  require_pointer("from", from, 1);
}

}  // namespace

specfast_status specfast_load_backend(const char* path) {
  return guarded([&] { load_backend(path); });
}

specfast_status specfast_get_device_info(int32_t device, specfast_device_info* info) {
  return guarded([&] {
    require_struct("info", info);
    BackendFacts facts{};
    call_backend(backend().describe, device, &facts);
    info->num_devices = facts.num_devices;
    static_assert(sizeof(info->name) == sizeof(facts.device));
    std::memcpy(info->name, facts.device, sizeof(info->name));
    info->compute_capability = facts.architecture;
    info->memory_bytes = facts.memory_bytes;
    info->driver = facts.driver;
    info->runtime = facts.runtime;
    info->cufft = facts.fft_library;
  });
}

specfast_status specfast_device_plan_create(const specfast_config* config, int32_t device,
                                            int64_t workspace_bytes, specfast_device_plan** plan) {
  return guarded([&] {
    require_pointer("plan", plan);
    *plan = nullptr;
    require_struct("config", config);
    *plan = new specfast_device_plan(*config, device, workspace_bytes);
  });
}

void specfast_device_plan_destroy(specfast_device_plan* plan) { delete plan; }

specfast_status specfast_execute_on_stream(const specfast_device_plan* plan,
                                           const specfast_batch* batch, int32_t out_dtype,
                                           void* stream) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_struct("batch", batch);
    plan->execute(*batch, out_dtype, stream);
  });
}

specfast_status specfast_device_allocate(int32_t device, int64_t num_bytes, void** memory) {
  return guarded([&] {
    require_pointer("memory", memory);
    *memory = nullptr;
    require_num_bytes(num_bytes);
    call_backend(backend().allocate, device, num_bytes, memory);
  });
}

void specfast_device_free(int32_t device, void* memory) {
  if (memory) guarded([&] { backend().release(device, memory); });
}

specfast_status specfast_copy_to_device(int32_t device, void* to, const void* from,
                                        int64_t num_bytes, void* stream) {
  return guarded([&] {
    require_copy(to, from, num_bytes);
    call_backend(backend().copy_to_device, device, to, from, num_bytes, stream);
  });
}

specfast_status specfast_copy_to_host(int32_t device, void* to, const void* from, int64_t num_bytes,
                                      void* stream) {
  return guarded([&] {
    require_copy(to, from, num_bytes);
    call_backend(backend().copy_to_host, device, to, from, num_bytes, stream);
  });
}
