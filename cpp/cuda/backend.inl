// SPDX-License-Identifier: BSD-3-Clause
// The backend: plans and calls, written for a runtime that knows the device. CUDA's is
// cuda_runtime.inl; the tests have one that runs the same programs on the host. A runtime has:
//
//   Runtime(device)                           throws BackendError, as does everything below
//   allocate(bytes), release(memory)          memory of the device
//   copy_to_device(to, from, bytes, stream), copy_to_host(...)   wait until the copy is done
//   borrow(bytes, stream), give_back(memory, stream)             memory for work of one stream
//   launch<Program>(num_blocks, arguments, stream)
//   transform(dft_length, num_frames, frames, spectra, stream)   real transforms, one after another
//   facts()                                   the BackendFacts
#pragma once

#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "cuda/kernels/fused.inl"
#include "cuda/kernels/long_frames.inl"
#include "cuda/kernels/top_db.inl"
#include "cuda/tables.inl"
#include "specfast/types.h"

namespace SPECFAST_NAMESPACE {
namespace {

class BackendError : public std::runtime_error {
 public:
  BackendError(specfast_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  specfast_status status() const { return status_; }

 private:
  specfast_status status_;
};

// Memory that one call borrows.
template <typename Runtime, typename T>
class Borrowed {
 public:
  Borrowed(Runtime& runtime, int64_t count, void* stream)
      : runtime_(runtime),
        stream_(stream),
        memory_(count ? runtime.borrow(count * int64_t(sizeof(T)), stream) : nullptr) {}
  ~Borrowed() {
    if (memory_) runtime_.give_back(memory_, stream_);
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  T* get() const { return static_cast<T*>(memory_); }

 private:
  Runtime& runtime_;
  void* stream_;
  void* memory_;
};

class AnyPlan {
 public:
  virtual ~AnyPlan() = default;
  virtual void execute(const BackendCall& arrays, void* stream) = 0;
};

template <typename Runtime, typename T>
class PlanOnDevice final : public AnyPlan {
 public:
  PlanOnDevice(const BackendRecipe& recipe, int32_t device)
      : runtime_(device),
        plan_(plan_of_recipe<T>(recipe)),
        is_fused_(has_fused_kernel<T>(recipe)),
        workspace_bytes_(recipe.workspace_bytes) {
    plan_.group_frames = group_frames();
    const PlanTables<T> tables(recipe, is_fused_);
    const auto size = int64_t(tables.bytes().size());
    tables_ = runtime_.allocate(size);
    try {
      runtime_.copy_to_device(tables_, tables.bytes().data(), size, nullptr);
    } catch (...) {
      runtime_.release(tables_);
      throw;
    }
    tables.place(static_cast<const unsigned char*>(tables_), plan_);
  }
  ~PlanOnDevice() override { runtime_.release(tables_); }
  PlanOnDevice(const PlanOnDevice&) = delete;
  PlanOnDevice& operator=(const PlanOnDevice&) = delete;

  void execute(const BackendCall& arrays, void* stream) override {
    const int64_t num_groups = (arrays.num_frames + plan_.group_frames - 1) / plan_.group_frames;
    const int64_t num_blocks = num_groups * arrays.num_signals;
    if (num_blocks == 0) return;
    require_grid(num_blocks);
    const bool clamps = plan_.tile.track_extrema;
    const int64_t num_scopes = plan_.has_common_maximum ? 1 : arrays.num_signals;
    const Borrowed<Runtime, TileExtrema<T>> extrema(runtime_, clamps ? num_blocks : 0, stream);
    const Borrowed<Runtime, T> floors(runtime_, clamps ? num_scopes : 0, stream);
    const DeviceCall<T> call{plan_, arrays, num_groups, extrema.get(), floors.get()};
    if (is_fused_) {
      launch_fused(call, num_blocks, stream);
    } else {
      launch_slots(call, num_blocks, stream);
    }
    if (!clamps) return;
    runtime_.template launch<FloorProgram<T>>(num_scopes, {call, num_blocks / num_scopes}, stream);
    runtime_.template launch<ClampProgram<T>>(num_blocks, call, stream);
  }

 private:
  bool has_bands() const { return plan_.tile.num_bands > 0; }

  static void require_grid(int64_t num_blocks) {
    if (num_blocks <= INT32_MAX) return;
    throw BackendError(SPECFAST_E_OVERFLOW,
                       "the frames of one call must be at most 2^31 groups on a device: split the "
                       "batch, received " +
                           std::to_string(num_blocks) + " groups");
  }

  // Groups are large enough to fill lines of memory where frames are neighbours in the output, and
  // small enough for shared memory, or for the workspace.
  int32_t group_frames() const {
    if (!is_fused_) return bytes_of_slot() <= workspace_bytes_ / 8 ? 8 : 1;
    int32_t frames = 1;
    with_shape(plan_.tile.dft_length, [&](auto shape) {
      constexpr int kPowersOfBlock = 8192, kMost = 32;
      frames = shape.kFrames;
      if (has_bands()) frames = std::max(frames, std::min(kPowersOfBlock / shape.kPoints, kMost));
    });
    return frames;
  }

  void launch_fused(const DeviceCall<T>& call, int64_t num_blocks, void* stream) {
    if constexpr (sizeof(T) == 4) {
      with_shape(plan_.tile.dft_length, [&](auto shape) {
        constexpr int kLogPoints = decltype(shape)::kLogPoints;
        if (has_bands()) {
          runtime_.template launch<FusedProgram<kLogPoints, true, T>>(num_blocks, call, stream);
        } else {
          runtime_.template launch<FusedProgram<kLogPoints, false, T>>(num_blocks, call, stream);
        }
      });
    }
  }

  int64_t bytes_of_slot() const {
    const int64_t spectrum = plan_.tile.dft_length / 2 + 1;
    return plan_.tile.dft_length * int64_t(sizeof(T)) + spectrum * int64_t(sizeof(Complex<T>));
  }

  void launch_slots(const DeviceCall<T>& call, int64_t num_groups, void* stream) {
    const int64_t slots_of_group = plan_.group_frames;
    const int64_t most_groups =
        std::max<int64_t>(1, workspace_bytes_ / (bytes_of_slot() * slots_of_group));
    const int64_t largest_grid = INT32_MAX / slots_of_group;
    const int64_t step = std::min({num_groups, most_groups, largest_grid});
    const int64_t slots = step * slots_of_group;
    const Borrowed<Runtime, T> frames(runtime_, slots * plan_.tile.dft_length, stream);
    const Borrowed<Runtime, Complex<T>> spectra(runtime_, slots * (plan_.tile.dft_length / 2 + 1),
                                                stream);
    for (int64_t first = 0; first < num_groups; first += step) {
      const int64_t groups = std::min(step, num_groups - first);
      const SlotCall<T> part{call, first, frames.get(), spectra.get()};
      const int64_t used = groups * slots_of_group;
      runtime_.template launch<FrameProgram<T>>(used, part, stream);
      runtime_.transform(plan_.tile.dft_length, used, frames.get(), spectra.get(), stream);
      if (has_bands()) {
        runtime_.template launch<RowProgram<true, T>>(used, part, stream);
        runtime_.template launch<BandProgram<T>>(groups, part, stream);
      } else {
        runtime_.template launch<RowProgram<false, T>>(used, part, stream);
      }
    }
  }

  Runtime runtime_;
  DevicePlan<T> plan_;
  bool is_fused_;
  int64_t workspace_bytes_;
  void* tables_ = nullptr;
};

// ---- The table of functions ---------------------------------------------------------------------

// Runs what may throw; fills in the failure instead.
template <typename Body>
bool guarded(BackendFailure* failure, const Body& body) noexcept {
  const auto fail = [failure](specfast_status status, const char* message) {
    failure->status = status;
    std::snprintf(failure->message, sizeof(failure->message), "%s", message);
    return false;
  };
  try {
    body();
    return true;
  } catch (const BackendError& error) {
    return fail(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(SPECFAST_E_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(SPECFAST_E_INTERNAL, error.what());
  }
}

template <typename Runtime>
struct BackendFunctions {
  static bool describe(int32_t device, BackendFacts* facts, BackendFailure* failure) {
    return guarded(failure, [&] { *facts = Runtime(device).facts(); });
  }

  static bool create_plan(const BackendRecipe* recipe, int32_t device, void** plan,
                          BackendFailure* failure) {
    return guarded(failure, [&] {
      std::unique_ptr<AnyPlan> made;
      if (recipe->precision == Precision::kFloat32) {
        made = std::make_unique<PlanOnDevice<Runtime, float>>(*recipe, device);
      } else {
        made = std::make_unique<PlanOnDevice<Runtime, double>>(*recipe, device);
      }
      *plan = made.release();
    });
  }

  static void destroy_plan(void* plan) { delete static_cast<AnyPlan*>(plan); }

  static bool execute(void* plan, const BackendCall* call, void* stream, BackendFailure* failure) {
    return guarded(failure, [&] { static_cast<AnyPlan*>(plan)->execute(*call, stream); });
  }

  static bool allocate(int32_t device, int64_t bytes, void** memory, BackendFailure* failure) {
    return guarded(failure, [&] { *memory = Runtime(device).allocate(bytes); });
  }

  static void release(int32_t device, void* memory) {
    BackendFailure ignored;
    guarded(&ignored, [&] { Runtime(device).release(memory); });
  }

  static bool copy_to_device(int32_t device, void* to, const void* from, int64_t bytes,
                             void* stream, BackendFailure* failure) {
    return guarded(failure, [&] { Runtime(device).copy_to_device(to, from, bytes, stream); });
  }

  static bool copy_to_host(int32_t device, void* to, const void* from, int64_t bytes, void* stream,
                           BackendFailure* failure) {
    return guarded(failure, [&] { Runtime(device).copy_to_host(to, from, bytes, stream); });
  }

  static constexpr Backend table(const char* name) {
    return {kBackendVersion, name,     describe, create_plan,    destroy_plan,
            execute,         allocate, release,  copy_to_device, copy_to_host};
  }
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
