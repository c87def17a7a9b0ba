// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of gradients: null checks, translation and catching.
#include "engine/run/gradient.h"

#include "engine/abi/checks.h"
#include "engine/abi/handles.h"
#include "engine/base/parallel.h"

using namespace specfast::engine;

int64_t specfast_plan_num_kept(const specfast_plan* plan, int64_t num_samples) {
  int64_t count = 0;
  guarded([&] { count = plan ? plan->num_kept(num_samples) : 0; });
  return count;
}

specfast_status specfast_execute_keep(const specfast_plan* plan, specfast_workspace* workspace,
                                      const specfast_batch* batch, void* kept) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_pointer("workspace", workspace);
    require_struct("batch", batch);
    require_pointer("kept", kept);
    execute(*plan, *workspace, *batch, {true, kept});
  });
}

specfast_status specfast_pull_back(const specfast_plan* plan, int32_t num_threads,
                                   const specfast_batch* batch, const specfast_gradient* gradient) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_num_threads(num_threads);
    require_struct("batch", batch);
    require_struct("gradient", gradient);
    pull_back(*plan, useful_threads(num_threads > 0 ? num_threads : default_num_threads()), *batch,
              *gradient);
  });
}
