// SPDX-License-Identifier: BSD-3-Clause
// The library for GPUs as nvcc gets it, on two devices that are the host, and what tests ask of it:
// which calls of CUDA there were, and that some of them fail.
#include <dlfcn.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_runtime.h"

namespace specfast_cuda {
namespace {

// The shared memory of the block that runs, and what must stay as it is behind it.
constexpr std::size_t kMostShared = 227 << 10, kGuard = 64;
constexpr unsigned char kUntouched = 0xa5;
alignas(16) unsigned char shared[kMostShared + kGuard];

}  // namespace
}  // namespace specfast_cuda

#include "cuda/backend.cu"

FakeIndex threadIdx, blockIdx, blockDim;

namespace {

struct State {
  std::string calls;
  std::map<std::string, cudaError_t> failures;
  std::map<const void*, int> allowed_shared;
  std::map<void*, std::size_t> from_pools;
  int num_devices = 2, device = 0;
  cudaError_t last = cudaSuccess;
  long long borrowed = 0, most_borrowed = 0;
};
State state;

// Notes a call and returns how it ends.
cudaError_t called(const std::string& function, const std::string& how = "") {
  state.calls += function + how + '\n';
  const auto failure = state.failures.find(function);
  if (failure == state.failures.end()) return cudaSuccess;
  return state.last = failure->second;
}

std::string in(cudaStream_t stream) {
  return " device " + std::to_string(state.device) + " stream " +
         std::to_string(reinterpret_cast<std::uintptr_t>(stream));
}

// ---- Threads --------------------------------------------------------------------------------

constexpr std::size_t kStackBytes = 128 << 10;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<unsigned char[]> stack{new unsigned char[kStackBytes]};
  bool is_done;
};

struct Block {
  std::vector<Fiber> fibers;
  ucontext_t scheduler;
  const std::function<void()>* thread = nullptr;
};
Block block;

void begin_thread() {
  (*block.thread)();
  block.fibers[threadIdx.x].is_done = true;
}

// Runs a block from barrier to barrier; tells whether all of its threads meet at each of them.
bool run_block(const std::function<void()>& thread, unsigned num_threads) {
  block.thread = &thread;
  if (block.fibers.size() < num_threads) block.fibers = std::vector<Fiber>(num_threads);
  for (unsigned i = 0; i < num_threads; ++i) {
    Fiber& fiber = block.fibers[i];
    fiber.is_done = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = &block.scheduler;
    makecontext(&fiber.context, begin_thread, 0);
  }
  for (;;) {
    unsigned done = 0;
    for (unsigned i = num_threads; i-- > 0;) {  // the last one first: the order must not matter
      threadIdx.x = i;
      swapcontext(&block.scheduler, &block.fibers[i].context);
      done += block.fibers[i].is_done ? 1 : 0;
    }
    if (done == num_threads) return true;
    if (done > 0) return false;
  }
}

}  // namespace

void __syncthreads() { swapcontext(&block.fibers[threadIdx.x].context, &block.scheduler); }

cudaError_t fake_allow_shared(const void* kernel, int bytes) {
  state.allowed_shared[kernel] = bytes;
  return called("cudaFuncSetAttribute");
}

cudaError_t fake_launch(const void* kernel, const std::function<void()>& thread, dim3 blocks,
                        dim3 threads, std::size_t shared_bytes, cudaStream_t stream) {
  using specfast_cuda::kUntouched;
  using specfast_cuda::shared;
  const auto allowed = state.allowed_shared.find(kernel);
  const int most = allowed == state.allowed_shared.end() ? 48 << 10 : allowed->second;
  const auto how =
      in(stream) + " blocks " + std::to_string(blocks.x) + " threads " + std::to_string(threads.x);
  if (const cudaError_t error = called("cudaLaunchKernel", how)) return error;
  const bool is_sound = blocks.x > 0 && threads.x > 0 && threads.x <= 1024 &&
                        shared_bytes <= std::size_t(most) &&
                        shared_bytes <= specfast_cuda::kMostShared;
  if (!is_sound) return state.last = cudaErrorInvalidValue;
  blockDim.x = threads.x;
  for (unsigned i = 0; i < blocks.x; ++i) {
    blockIdx.x = i;
    std::memset(shared, 0xff, shared_bytes);
    std::memset(shared + shared_bytes, kUntouched, sizeof(shared) - shared_bytes);
    const bool meets = run_block(thread, threads.x);
    const bool keeps = std::all_of(shared + shared_bytes, std::end(shared),
                                   [](unsigned char byte) { return byte == kUntouched; });
    if (!meets || !keeps) return state.last = cudaErrorLaunchFailure;
  }
  return cudaSuccess;
}

// ---- Devices --------------------------------------------------------------------------------

cudaError_t cudaGetLastError() {
  const cudaError_t last = state.last;
  state.last = cudaSuccess;
  return last;
}
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "a fault of the test";
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = state.num_devices;
  return called("cudaGetDeviceCount");
}
cudaError_t cudaGetDevice(int* device) {
  *device = state.device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= state.num_devices) return state.last = cudaErrorInvalidValue;
  state.device = device;
  return called("cudaSetDevice");
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  std::snprintf(properties->name, sizeof(properties->name), "fake %d", device);
  properties->major = 9;
  properties->minor = 0;
  properties->totalGlobalMem = std::size_t(1) << 30;
  return called("cudaGetDeviceProperties");
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13020;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

// ---- Memory ---------------------------------------------------------------------------------

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (const cudaError_t error = called("cudaMalloc")) return error;
  *memory = bytes ? std::malloc(bytes) : nullptr;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return called("cudaFree");
}
cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  *pool = reinterpret_cast<cudaMemPool_t>(new int(properties->location.id));
  return called("cudaMemPoolCreate", " device " + std::to_string(properties->location.id));
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete reinterpret_cast<int*>(pool);
  return called("cudaMemPoolDestroy");
}
cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t bytes, cudaMemPool_t pool,
                                    cudaStream_t stream) {
  if (const cudaError_t error = called("cudaMallocFromPoolAsync", in(stream))) return error;
  if (*reinterpret_cast<int*>(pool) != state.device) return state.last = cudaErrorInvalidValue;
  *memory = std::malloc(bytes);
  std::memset(*memory, 0xff, bytes);
  state.from_pools[*memory] = bytes;
  state.borrowed += (long long)bytes;
  state.most_borrowed = std::max(state.most_borrowed, state.borrowed);
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  state.borrowed -= (long long)state.from_pools.at(memory);
  state.from_pools.erase(memory);
  std::free(memory);
  return called("cudaFreeAsync", in(stream));
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  if (bytes) std::memcpy(to, from, bytes);
  return called("cudaMemcpyAsync", in(stream));
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return called("cudaStreamSynchronize", in(stream));
}

// ---- What tests ask -------------------------------------------------------------------------

#define SPECFAST_FAKE extern "C" __attribute__((visibility("default")))

// Returns the calls since the last time, a line each.
SPECFAST_FAKE const char* fake_calls() {
  static std::string calls;
  calls.swap(state.calls);
  state.calls.clear();
  return calls.c_str();
}
// Lets a function fail with an error from now on; 0: no longer.
SPECFAST_FAKE void fake_failure(const char* function, int error) {
  state.failures.erase(function);
  if (error) state.failures[function] = cudaError_t(error);
}
SPECFAST_FAKE void fake_devices(int count) { state.num_devices = count; }
SPECFAST_FAKE int fake_current_device() { return state.device; }
SPECFAST_FAKE int fake_last_error() { return state.last; }
// Returns the most bytes that were borrowed at once since the last time; now none must be.
SPECFAST_FAKE long long fake_most_borrowed() {
  const long long most = state.borrowed ? -1 : state.most_borrowed;
  state.most_borrowed = 0;
  return most;
}
// Runs a block whose threads do not all reach a barrier, or that writes beyond its shared memory.
SPECFAST_FAKE int fake_faulty_block(int is_beyond) {
  const auto thread = [is_beyond] {
    if (is_beyond && threadIdx.x == 0) specfast_cuda::shared[8] = 1;
    if (!is_beyond && threadIdx.x == 1) return;
    __syncthreads();
  };
  const int error = fake_launch(nullptr, thread, dim3(1), dim3(4), 8, nullptr);
  state.last = cudaSuccess;
  return error;
}
