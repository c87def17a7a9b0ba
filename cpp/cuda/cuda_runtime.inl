// SPDX-License-Identifier: BSD-3-Clause
// The runtime of backend.inl on CUDA.
#pragma once

#include <cuda_runtime.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "cuda/backend.inl"
#include "cuda/cufft.inl"

namespace SPECFAST_NAMESPACE {
namespace {

template <typename Program>
__global__ void __launch_bounds__(Program::kThreads, Program::kMinBlocks)
    run_program(const __grid_constant__ typename Program::Arguments arguments) {
  extern __shared__ __align__(16) unsigned char shared[];
  DeviceBlock<typename Program::Registers> block(shared);
  Program::run(block, arguments);
}

inline specfast_status status_of(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? SPECFAST_E_OUT_OF_MEMORY
                                            : SPECFAST_E_UNAVAILABLE_DEVICE;
}

inline void check_cuda(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // it is reported here, and must not appear in a later call of the program
  throw BackendError(status_of(error), std::string(what) + " failed: " + cudaGetErrorString(error));
}

// Makes a device the current one of this thread, and the former one again at the end.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device) {
    check_cuda(cudaGetDevice(&former_), "cudaGetDevice");
    if (former_ != device) check_cuda(cudaSetDevice(device), "cudaSetDevice");
    changed_ = former_ != device;
  }
  ~CurrentDevice() {
    if (changed_) cudaSetDevice(former_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int former_ = 0;
  bool changed_ = false;
};

class CudaRuntime {
 public:
  explicit CudaRuntime(int32_t device) : device_(device) {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) cudaGetLastError();
    if (error == cudaErrorInsufficientDriver) {
      throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE,
                         "the NVIDIA driver is missing, or too old for CUDA " +
                             std::to_string(CUDART_VERSION / 1000));
    }
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
      throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE, "there is no NVIDIA GPU");
    check_cuda(error, "cudaGetDeviceCount");
    if (device >= 0 && device < count) return;
    throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE,
                       "device must be less than the number of GPUs, " + std::to_string(count) +
                           ", received device=" + std::to_string(device));
  }
  ~CudaRuntime() {
    if (pool_) cudaMemPoolDestroy(pool_);
  }
  CudaRuntime(const CudaRuntime&) = delete;
  CudaRuntime& operator=(const CudaRuntime&) = delete;

  void* allocate(int64_t bytes) {
    const CurrentDevice current(device_);
    void* memory = nullptr;
    check_cuda(cudaMalloc(&memory, std::size_t(bytes)), "cudaMalloc");
    return memory;
  }

  void release(void* memory) noexcept {
    if (cudaFree(memory) != cudaSuccess) cudaGetLastError();
  }

  void copy_to_device(void* to, const void* from, int64_t bytes, void* stream) {
    copy(to, from, bytes, cudaMemcpyHostToDevice, stream);
  }
  void copy_to_host(void* to, const void* from, int64_t bytes, void* stream) {
    copy(to, from, bytes, cudaMemcpyDeviceToHost, stream);
  }

  void* borrow(int64_t bytes, void* stream) {
    const CurrentDevice current(device_);
    std::call_once(pool_made_, [this] { make_pool(); });
    void* memory = nullptr;
    check_cuda(cudaMallocFromPoolAsync(&memory, std::size_t(bytes), pool_, stream_of(stream)),
               "cudaMallocFromPoolAsync");
    return memory;
  }

  // On the plan's device: the default streams are those of the current one.
  void give_back(void* memory, void* stream) noexcept {
    int former = device_;
    cudaGetDevice(&former);
    if (former != device_) cudaSetDevice(device_);
    if (cudaFreeAsync(memory, stream_of(stream)) != cudaSuccess) cudaGetLastError();
    if (former != device_) cudaSetDevice(former);
  }

  template <typename Program>
  void launch(int64_t num_blocks, typename Program::Arguments arguments, void* stream) {
    const CurrentDevice current(device_);
    const auto kernel = &run_program<Program>;
    const auto shared = std::size_t(Program::shared_bytes(arguments));
    constexpr std::size_t kWithoutAsking = 48 << 10;
    if (shared > kWithoutAsking) {
      check_cuda(
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared)),
          "cudaFuncSetAttribute");
    }
    void* all[] = {&arguments};
    check_cuda(cudaLaunchKernel(kernel, dim3(unsigned(num_blocks)), dim3(Program::kThreads), all,
                                shared, stream_of(stream)),
               "cudaLaunchKernel");
  }

  template <typename T>
  void transform(int64_t length, int64_t num_frames, T* frames, Complex<T>* spectra, void* stream) {
    const CurrentDevice current(device_);
    // cuFFT's plans know their stream and workspace, so one thread at a time may use them.
    const std::lock_guard<std::mutex> lock(transforms_mutex_);
    const CufftPlan& plan = transform_plan(length, num_frames, sizeof(T) == 4);
    void* const work = plan.work_bytes() ? borrow(int64_t(plan.work_bytes()), stream) : nullptr;
    try {
      plan.execute(frames, spectra, work, stream_of(stream));
    } catch (...) {
      if (work) give_back(work, stream);
      throw;
    }
    if (work) give_back(work, stream);
  }

  BackendFacts facts() const {
    BackendFacts facts{};
    cudaDeviceProp properties;
    check_cuda(cudaGetDeviceProperties(&properties, device_), "cudaGetDeviceProperties");
    int count = 0;
    check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    facts.num_devices = count;
    std::snprintf(facts.device, sizeof(facts.device), "%.127s", properties.name);
    facts.architecture = 10 * properties.major + properties.minor;
    facts.memory_bytes = int64_t(properties.totalGlobalMem);
    check_cuda(cudaDriverGetVersion(&facts.driver), "cudaDriverGetVersion");
    check_cuda(cudaRuntimeGetVersion(&facts.runtime), "cudaRuntimeGetVersion");
    if (is_cufft_loaded()) check_cufft(cufft().get_version(&facts.fft_library), "cufftGetVersion");
    return facts;
  }

 private:
  static cudaStream_t stream_of(void* stream) { return static_cast<cudaStream_t>(stream); }

  void copy(void* to, const void* from, int64_t bytes, cudaMemcpyKind kind, void* stream) {
    const CurrentDevice current(device_);
    check_cuda(cudaMemcpyAsync(to, from, std::size_t(bytes), kind, stream_of(stream)),
               "cudaMemcpyAsync");
    check_cuda(cudaStreamSynchronize(stream_of(stream)), "cudaStreamSynchronize");
  }

  // A pool of its own keeps memory from call to call without changing that of the program.
  void make_pool() {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device_;
    check_cuda(cudaMemPoolCreate(&pool_, &properties), "cudaMemPoolCreate");
    uint64_t everything = UINT64_MAX;
    check_cuda(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &everything),
               "cudaMemPoolSetAttribute");
  }

  // Returns the plan for so many transforms; the latest few are kept.
  const CufftPlan& transform_plan(int64_t length, int64_t batch, bool is_single) {
    constexpr std::size_t kKept = 4;
    for (auto plan = transforms_.begin(); plan != transforms_.end(); ++plan) {
      if (plan->batch() != batch) continue;
      transforms_.splice(transforms_.begin(), transforms_, plan);
      return transforms_.front();
    }
    transforms_.emplace_front(length, batch, is_single ? kCufftR2C : kCufftD2Z);
    if (transforms_.size() > kKept) transforms_.pop_back();
    return transforms_.front();
  }

  int32_t device_;
  std::once_flag pool_made_;
  cudaMemPool_t pool_ = nullptr;
  std::mutex transforms_mutex_;
  std::list<CufftPlan> transforms_;
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
