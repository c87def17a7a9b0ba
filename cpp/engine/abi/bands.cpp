// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of bins from bands: null checks, translation and catching.
#include "engine/abi/checks.h"
#include "engine/abi/handles.h"
#include "engine/base/parallel.h"
#include "engine/run/unmix.h"

using namespace specfast::engine;

specfast_status specfast_unmix_bands(const specfast_plan* plan, int32_t num_threads,
                                     const specfast_bands* bands) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_num_threads(num_threads);
    require_struct("bands", bands);
    unmix_bands(*plan, useful_threads(num_threads > 0 ? num_threads : default_num_threads()),
                *bands);
  });
}
