// SPDX-License-Identifier: BSD-3-Clause
// Every function of the C ABI in any order: the generators of tests/capi, which draw from the
// input.
#include "../capi/harness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  constexpr int kMaxCalls = 60;
  fuzz::Random random(bytes, num_bytes);
  for (int i = 0; i < kMaxCalls && random.has_bytes(); ++i) fuzz::call_something(random);
  fuzz::forget_everything();
  return 0;
}
