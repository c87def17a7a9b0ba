// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of the library as a whole: messages, threads, build.
#include "engine/abi/checks.h"
#include "engine/base/interrupt.h"
#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"

using namespace specfast::engine;

const char* specfast_last_error(void) { return last_error(); }
specfast_status specfast_last_status(void) { return last_status(); }

int32_t specfast_num_threads(void) {
  int32_t number = 1;
  guarded([&] { number = default_num_threads(); });
  return number;
}

specfast_status specfast_set_num_threads(int32_t num_threads) {
  return guarded([&] {
    require_num_threads(num_threads);
    set_default_num_threads(num_threads);
  });
}

void specfast_set_interrupt(specfast_interrupt interrupt, void* context) {
  set_interrupt(interrupt, context);
}

specfast_status specfast_get_build_info(specfast_build_info* info) {
  return guarded([&] {
    require_struct("info", info);
    const KernelTable& table = kernels();
    info->version = SPECFAST_VERSION;
    info->isa = table.isa;
    info->available_isas = available_isas().c_str();
    info->lanes_float32 = int32_t(table.float32.wide.lanes);
    info->lanes_float64 = int32_t(table.float64.wide.lanes);
    info->openmp = built_with_openmp();
#if defined(__clang__)
    info->compiler = "Clang " __clang_version__;
#else
    info->compiler = "GCC " __VERSION__;
#endif
    info->pocketfft = SPECFAST_POCKETFFT_REVISION;
  });
}
