// SPDX-License-Identifier: BSD-3-Clause
// NVIDIA's cuFFT, loaded when a length first needs it. Its functions are declared here, so that
// neither its headers nor the library are needed to build or to load this backend.
#pragma once

#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdint>
#include <string>

#include "cuda/backend.inl"

namespace SPECFAST_NAMESPACE {
namespace {

// The names of NVIDIA's interface.
using CufftHandle = int;
constexpr int kCufftSuccess = 0, kCufftAllocFailed = 2;
constexpr int kCufftR2C = 0x2a, kCufftD2Z = 0x6a;

struct Cufft {
  int (*create)(CufftHandle*);
  int (*set_auto_allocation)(CufftHandle, int);
  int (*make_plan_many)(CufftHandle, int rank, long long* n, long long* in_embed,
                        long long in_stride, long long in_distance, long long* out_embed,
                        long long out_stride, long long out_distance, int type, long long batch,
                        std::size_t* work_bytes);
  int (*set_stream)(CufftHandle, cudaStream_t);
  int (*set_work_area)(CufftHandle, void*);
  int (*execute_r2c)(CufftHandle, void* from, void* to);
  int (*execute_d2z)(CufftHandle, void* from, void* to);
  int (*destroy)(CufftHandle);
  int (*get_version)(int*);
};

#if CUDART_VERSION >= 13000
constexpr char kCufftName[] = "libcufft.so.12";
#else
constexpr char kCufftName[] = "libcufft.so.11";
#endif

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function) return;
  throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE,
                     std::string(kCufftName) + " has no function " + name);
}

inline Cufft load_cufft() {
  void* const library = dlopen(kCufftName, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char* const reason = dlerror();
    throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE,
                       "this transform needs NVIDIA's cuFFT (a power of two from 64 to 4096 in "
                       "float32 does not), which cannot be loaded: " +
                           std::string(reason ? reason : kCufftName));
  }
  Cufft cufft{};
  find(library, "cufftCreate", cufft.create);
  find(library, "cufftSetAutoAllocation", cufft.set_auto_allocation);
  find(library, "cufftMakePlanMany64", cufft.make_plan_many);
  find(library, "cufftSetStream", cufft.set_stream);
  find(library, "cufftSetWorkArea", cufft.set_work_area);
  find(library, "cufftExecR2C", cufft.execute_r2c);
  find(library, "cufftExecD2Z", cufft.execute_d2z);
  find(library, "cufftDestroy", cufft.destroy);
  find(library, "cufftGetVersion", cufft.get_version);
  return cufft;
}

// Returns the library, loaded once; a failure is tried again.
inline const Cufft& cufft() {
  static const Cufft* const loaded = new Cufft(load_cufft());
  return *loaded;
}

// Tells whether this process has it already; to ask loads nothing.
inline bool is_cufft_loaded() {
  void* const library = dlopen(kCufftName, RTLD_NOW | RTLD_NOLOAD);
  if (library) dlclose(library);
  return library != nullptr;
}

inline void check_cufft(int result, const char* what) {
  if (result == kCufftSuccess) return;
  throw BackendError(
      result == kCufftAllocFailed ? SPECFAST_E_OUT_OF_MEMORY : SPECFAST_E_UNAVAILABLE_DEVICE,
      std::string("cuFFT failed in ") + what + " with result " + std::to_string(result));
}

// A plan of cuFFT for some transforms of one length at a time.
class CufftPlan {
 public:
  CufftPlan(int64_t length, int64_t batch, int type) : batch_(batch), type_(type) {
    check_cufft(cufft().create(&handle_), "cufftCreate");
    try {
      check_cufft(cufft().set_auto_allocation(handle_, 0), "cufftSetAutoAllocation");
      long long n = length;
      check_cufft(cufft().make_plan_many(handle_, 1, &n, nullptr, 1, length, nullptr, 1,
                                         length / 2 + 1, type, batch, &work_bytes_),
                  "cufftMakePlanMany64");
    } catch (...) {
      cufft().destroy(handle_);
      throw;
    }
  }
  ~CufftPlan() { cufft().destroy(handle_); }
  CufftPlan(const CufftPlan&) = delete;
  CufftPlan& operator=(const CufftPlan&) = delete;

  int64_t batch() const { return batch_; }
  std::size_t work_bytes() const { return work_bytes_; }

  void execute(void* from, void* to, void* work, cudaStream_t stream) const {
    check_cufft(cufft().set_stream(handle_, stream), "cufftSetStream");
    check_cufft(cufft().set_work_area(handle_, work), "cufftSetWorkArea");
    const auto function = type_ == kCufftR2C ? cufft().execute_r2c : cufft().execute_d2z;
    check_cufft(function(handle_, from, to), "cufftExec");
  }

 private:
  CufftHandle handle_ = 0;
  int64_t batch_;
  int type_;
  std::size_t work_bytes_ = 0;
};

}  // namespace
}  // namespace SPECFAST_NAMESPACE
