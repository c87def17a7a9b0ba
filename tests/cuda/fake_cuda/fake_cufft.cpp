// SPDX-License-Identifier: BSD-3-Clause
// Stands for NVIDIA's cuFFT: the definition of the transform, in long double. A plan that is used
// without a stream and a work area of its own fails.
#include <cmath>
#include <cstddef>
#include <map>
#include <vector>

namespace {

struct Plan {
  long long length = 0, batch = 0;
  void *stream = nullptr, *work = nullptr;
  bool has_stream = false;
};
std::map<int, Plan> plans;
int next_plan = 1, num_executed = 0;
constexpr std::size_t kWorkBytes = 96;
constexpr int kSuccess = 0, kInvalidPlan = 1, kExecFailed = 6;

template <typename T>
int execute(int handle, const T* from, T* to) {
  const auto found = plans.find(handle);
  if (found == plans.end()) return kInvalidPlan;
  const Plan& plan = found->second;
  if (!plan.has_stream || !plan.work) return kExecFailed;
  ++num_executed;
  const long long bins = plan.length / 2 + 1;
  std::vector<long double> cosine, sine;
  for (long long n = 0; n < plan.length; ++n) {
    const long double angle = 2 * acosl(-1.0L) * (long double)n / (long double)plan.length;
    cosine.push_back(cosl(angle));
    sine.push_back(sinl(angle));
  }
  for (long long frame = 0; frame < plan.batch; ++frame) {
    for (long long k = 0; k < bins; ++k) {
      long double re = 0, im = 0;
      for (long long n = 0; n < plan.length; ++n) {
        const auto turn = std::size_t(n * k % plan.length);
        re += from[frame * plan.length + n] * cosine[turn];
        im -= from[frame * plan.length + n] * sine[turn];
      }
      to[2 * (frame * bins + k)] = T(re);
      to[2 * (frame * bins + k) + 1] = T(im);
    }
  }
  return kSuccess;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int cufftCreate(int* handle) {
  *handle = next_plan++;
  plans[*handle];
  return kSuccess;
}
int cufftSetAutoAllocation(int, int) { return kSuccess; }
int cufftMakePlanMany64(int handle, int rank, long long* n, long long* in_embed, long long,
                        long long in_distance, long long* out_embed, long long,
                        long long out_distance, int, long long batch, std::size_t* work_bytes) {
  const bool is_packed = !in_embed && !out_embed && in_distance == *n && out_distance == *n / 2 + 1;
  if (rank != 1 || !is_packed) return kInvalidPlan;
  plans[handle].length = *n;
  plans[handle].batch = batch;
  *work_bytes = kWorkBytes;
  return kSuccess;
}
int cufftSetStream(int handle, void* stream) {
  plans[handle].stream = stream;
  plans[handle].has_stream = true;
  return kSuccess;
}
int cufftSetWorkArea(int handle, void* work) {
  plans[handle].work = work;
  return kSuccess;
}
int cufftExecR2C(int handle, void* from, void* to) {
  return execute(handle, static_cast<const float*>(from), static_cast<float*>(to));
}
int cufftExecD2Z(int handle, void* from, void* to) {
  return execute(handle, static_cast<const double*>(from), static_cast<double*>(to));
}
int cufftDestroy(int handle) { return plans.erase(handle) ? kSuccess : kInvalidPlan; }
int cufftGetVersion(int* version) {
  *version = 12000;
  return kSuccess;
}
// For tests: how many plans there are, and how many transforms of a batch there were.
int fake_num_plans() { return int(plans.size()); }
int fake_num_executed() { return num_executed; }
}
#pragma GCC visibility pop
