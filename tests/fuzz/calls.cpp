// SPDX-License-Identifier: BSD-3-Clause
// Every function of the C ABI in any order: the generators of tests/capi, which draw from the
// input.
#include "common.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  // So few that calls meet what those before them have made.
  constexpr int kMaxCalls = 16;
  fuzz::Random random(bytes, num_bytes);
  fuzz::limits = {2, 2, fuzz::most_values(random)};
  for (int i = 0; i < kMaxCalls && random.has_bytes(); ++i) fuzz::call_something(random);
  fuzz::forget_everything();
  return 0;
}
