// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of Griffin-Lim: null checks, translation and catching.
#include "engine/run/griffin_lim.h"

#include "engine/abi/checks.h"
#include "engine/abi/handles.h"

using namespace specfast::engine;

struct specfast_griffin_lim {
  specfast_griffin_lim(const specfast_config& config, const specfast_griffin_lim_options& options)
      : search(checked_search(options)), inverse(config, nullptr), plan(config, nullptr) {}

  PhaseSearch search;
  specfast_inverse inverse;
  Plan plan;
};

specfast_status specfast_griffin_lim_create(const specfast_config* config,
                                            const specfast_griffin_lim_options* options,
                                            specfast_griffin_lim** griffin_lim) {
  return guarded([&] {
    require_pointer("griffin_lim", griffin_lim);
    *griffin_lim = nullptr;
    require_struct("config", config);
    require_struct("options", options);
    *griffin_lim = new specfast_griffin_lim(*config, *options);
  });
}

void specfast_griffin_lim_destroy(specfast_griffin_lim* griffin_lim) { delete griffin_lim; }

const specfast_inverse* specfast_griffin_lim_inverse(const specfast_griffin_lim* griffin_lim) {
  return griffin_lim ? &griffin_lim->inverse : nullptr;
}

specfast_status specfast_griffin_lim_execute(const specfast_griffin_lim* griffin_lim,
                                             int32_t num_threads,
                                             const specfast_magnitudes* arrays) {
  return guarded([&] {
    require_pointer("griffin_lim", griffin_lim);
    require_num_threads(num_threads);
    require_struct("arrays", arrays);
    find_signals(griffin_lim->plan, griffin_lim->inverse, griffin_lim->search,
                 useful_threads(num_threads > 0 ? num_threads : default_num_threads()), *arrays);
  });
}
