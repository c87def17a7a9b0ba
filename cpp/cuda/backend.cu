// SPDX-License-Identifier: BSD-3-Clause
// The library libspecfast_cuda: one unit, because kernels are templates of what they compute.
#include "cuda/cuda_runtime.inl"

namespace SPECFAST_NAMESPACE {
namespace {

constexpr Backend kBackend = BackendFunctions<CudaRuntime>::table("cuda");

}  // namespace
}  // namespace SPECFAST_NAMESPACE

extern "C" __attribute__((visibility("default"))) const specfast::engine::Backend*
specfast_backend() {
  return &SPECFAST_NAMESPACE::kBackend;
}
