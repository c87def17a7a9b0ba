// SPDX-License-Identifier: BSD-3-Clause
// A backend whose device is the host: the same plans, calls and programs as on a GPU, each block
// run by a HostBlock. The memory of this device is the host's, and a stream means nothing.
//
// SPECFAST_TEST_THREAD_ORDER is forward, reverse or shuffled.
#include <cstdlib>
#include <string>

#include "cuda/backend.inl"
#include "host_block.h"

namespace specfast_cuda {
namespace {

specfast_tests::ThreadOrder chosen_order() {
  const char* const name = std::getenv("SPECFAST_TEST_THREAD_ORDER");
  if (name && std::string(name) == "reverse") return specfast_tests::ThreadOrder::kReverse;
  if (name && std::string(name) == "shuffled") return specfast_tests::ThreadOrder::kShuffled;
  return specfast_tests::ThreadOrder::kForward;
}

class HostRuntime {
 public:
  explicit HostRuntime(int32_t device) {
    if (device == 0) return;
    throw BackendError(SPECFAST_E_UNAVAILABLE_DEVICE,
                       "device must be 0, received device=" + std::to_string(device));
  }

  void* allocate(int64_t bytes) { return ::operator new(std::size_t(bytes)); }
  void release(void* memory) noexcept { ::operator delete(memory); }
  void copy_to_device(void* to, const void* from, int64_t bytes, void*) {
    std::memcpy(to, from, std::size_t(bytes));
  }
  void copy_to_host(void* to, const void* from, int64_t bytes, void*) {
    std::memcpy(to, from, std::size_t(bytes));
  }
  void* borrow(int64_t bytes, void*) {
    void* const memory = allocate(bytes);
    std::memset(memory, 0xff, std::size_t(bytes));
    return memory;
  }
  void give_back(void* memory, void*) noexcept { release(memory); }

  template <typename Program>
  void launch(int64_t num_blocks, const typename Program::Arguments& arguments, void*) {
    const auto order = chosen_order();
    for (int64_t index = 0; index < num_blocks; ++index) {
      specfast_tests::HostBlock<typename Program::Registers> block(
          index, Program::kThreads, Program::shared_bytes(arguments), order);
      Program::run(block, arguments);
    }
  }

  // Stands for cuFFT: the definition of the transform, in long double.
  template <typename T>
  void transform(int64_t length, int64_t num_frames, const T* frames, Complex<T>* spectra, void*) {
    std::vector<long double> cosine(static_cast<std::size_t>(length)), sine(cosine);
    for (int64_t k = 0; k < length; ++k) {
      const long double angle = 2 * acosl(-1.0L) * (long double)k / (long double)length;
      cosine[std::size_t(k)] = cosl(angle);
      sine[std::size_t(k)] = sinl(angle);
    }
    const int64_t num_bins = length / 2 + 1;
    for (int64_t frame = 0; frame < num_frames; ++frame) {
      for (int64_t k = 0; k < num_bins; ++k) {
        long double re = 0, im = 0;
        for (int64_t n = 0; n < length; ++n) {
          const long double x = frames[frame * length + n];
          re += x * cosine[std::size_t(n * k % length)];
          im -= x * sine[std::size_t(n * k % length)];
        }
        spectra[frame * num_bins + k] = {T(re), T(im)};
      }
    }
  }

  BackendFacts facts() const {
    BackendFacts facts{};
    facts.num_devices = 1;
    std::snprintf(facts.device, sizeof(facts.device), "the host");
    return facts;
  }
};

constexpr Backend kBackend = BackendFunctions<HostRuntime>::table("host");

}  // namespace
}  // namespace specfast_cuda

#if defined(_WIN32)
#define SPECFAST_EXPORT __declspec(dllexport)
#else
#define SPECFAST_EXPORT __attribute__((visibility("default")))
#endif

extern "C" SPECFAST_EXPORT const specfast::engine::Backend* specfast_backend() {
  return &specfast_cuda::kBackend;
}
