// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of plans, workspaces and whole signals: null checks, translation and catching.
#include <string>

#include "engine/abi/checks.h"
#include "engine/abi/handles.h"
#include "engine/base/parallel.h"
#include "engine/spec/config.h"
#include "engine/spec/geometry.h"
#include "engine/spec/modes.h"

using namespace specfast::engine;

specfast_status specfast_config_init(specfast_config* config, size_t struct_size, int32_t mode) {
  return guarded([&] {
    require_pointer("config", config);
    require_struct_size("config", struct_size, sizeof(specfast_config));
    if (!spectrum_op_of(mode)) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "mode must be a specfast_mode, received mode=" + std::to_string(mode));
    }
    init_config(*config, specfast_mode(mode));
  });
}

specfast_status specfast_plan_create(const specfast_config* config, specfast_plan** plan) {
  return guarded([&] {
    require_pointer("plan", plan);
    *plan = nullptr;
    require_struct("config", config);
    *plan = new specfast_plan(*config);
  });
}

specfast_status specfast_plan_create_with_weights(const specfast_config* config,
                                                  const specfast_weights* weights,
                                                  specfast_plan** plan) {
  return guarded([&] {
    require_pointer("plan", plan);
    *plan = nullptr;
    require_struct("config", config);
    require_struct("weights", weights);
    *plan = new specfast_plan(*config, weights);
  });
}

int32_t specfast_plan_is_analytic(const specfast_plan* plan) {
  return plan ? plan->is_analytic() : 0;
}

void specfast_plan_destroy(specfast_plan* plan) { delete plan; }

int64_t specfast_plan_num_rows(const specfast_plan* plan) { return plan ? plan->num_rows() : 0; }

int64_t specfast_plan_num_frames(const specfast_plan* plan, int64_t num_samples) {
  return plan ? num_frames(plan->config(), num_samples) : 0;
}

specfast_status specfast_workspace_create(const specfast_plan* plan, int32_t num_threads,
                                          specfast_workspace** workspace) {
  return guarded([&] {
    require_pointer("workspace", workspace);
    *workspace = nullptr;
    require_pointer("plan", plan);
    require_num_threads(num_threads);
    *workspace = new specfast_workspace(
        *plan, useful_threads(num_threads > 0 ? num_threads : default_num_threads()));
  });
}

specfast_status specfast_workspace_create_with_runner(const specfast_plan* plan,
                                                      int32_t num_threads, specfast_runner runner,
                                                      void* context,
                                                      specfast_workspace** workspace) {
  return guarded([&] {
    require_pointer("workspace", workspace);
    *workspace = nullptr;
    require_pointer("plan", plan);
    require_pointer("runner", reinterpret_cast<const void*>(runner));
    require_runner_threads(num_threads);
    *workspace = new specfast_workspace(*plan, Team(num_threads, runner, context));
  });
}

void specfast_workspace_destroy(specfast_workspace* workspace) { delete workspace; }

specfast_status specfast_execute(const specfast_plan* plan, specfast_workspace* workspace,
                                 const specfast_batch* batch) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_pointer("workspace", workspace);
    require_struct("batch", batch);
    execute(*plan, *workspace, *batch);
  });
}
