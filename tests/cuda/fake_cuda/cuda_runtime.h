// SPDX-License-Identifier: BSD-3-Clause
// Stands for NVIDIA's header of this name where a host compiler compiles the library for GPUs: what
// the library uses of CUDA, on devices that are the host. fake_cuda.cpp has the functions.
//
// A kernel runs as on a GPU, written as it is there: each thread of a block is a fiber that goes on
// until __syncthreads(), where the next one takes over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#define __CUDACC__ 1
#define __device__
#define __host__
#define __global__
#define __shared__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
#define CUDART_VERSION 13000

struct dim3 {
  unsigned x;
  explicit dim3(unsigned count) : x(count) {}
};
struct FakeIndex {
  unsigned x;
};
extern FakeIndex threadIdx, blockIdx, blockDim;
void __syncthreads();

// The numbers are CUDA's.
enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaMemAllocationType { cudaMemAllocationTypePinned = 1 };
enum cudaMemLocationType { cudaMemLocationTypeDevice = 1 };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
using cudaStream_t = struct FakeStream*;
using cudaMemPool_t = struct FakePool*;
struct cudaMemPoolProps {
  cudaMemAllocationType allocType;
  struct {
    cudaMemLocationType type;
    int id;
  } location;
};
struct cudaDeviceProp {
  char name[256];
  int major, minor;
  std::size_t totalGlobalMem;
};

cudaError_t cudaGetLastError();
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaMalloc(void** memory, std::size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties);
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value);
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool);
cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream);
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

cudaError_t fake_allow_shared(const void* kernel, int bytes);
cudaError_t fake_launch(const void* kernel, const std::function<void()>& thread, dim3 blocks,
                        dim3 threads, std::size_t shared_bytes, cudaStream_t stream);

template <typename Kernel>
cudaError_t cudaFuncSetAttribute(Kernel* kernel, cudaFuncAttribute, int value) {
  return fake_allow_shared(reinterpret_cast<const void*>(kernel), value);
}

template <typename Arguments>
cudaError_t cudaLaunchKernel(void (*kernel)(Arguments), dim3 blocks, dim3 threads, void** arguments,
                             std::size_t shared_bytes, cudaStream_t stream) {
  // Arguments are copied by the call, as CUDA does.
  const Arguments copy = *static_cast<Arguments*>(arguments[0]);
  return fake_launch(
      reinterpret_cast<const void*>(kernel), [kernel, &copy] { kernel(copy); }, blocks, threads,
      shared_bytes, stream);
}
