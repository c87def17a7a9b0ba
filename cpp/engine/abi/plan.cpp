// SPDX-License-Identifier: BSD-3-Clause
// The C ABI over the engine: nothing but null checks, translation and catching.
#include "engine/abi/handles.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"
#include "engine/run/gradient.h"
#include "engine/spec/filterbank.h"
#include "engine/spec/geometry.h"
#include "engine/spec/modes.h"
#include "engine/spec/weights.h"
#include "engine/spec/window.h"

using namespace specfast::engine;

namespace {

void require_num_threads(int32_t num_threads) {
  if (num_threads >= 0 && num_threads <= kMaxThreads) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "num_threads must be between 1 and " + std::to_string(kMaxThreads) +
                  ", or 0 for the default, received num_threads=" + std::to_string(num_threads));
}

}  // namespace

const char* specfast_last_error(void) { return last_error(); }

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
    require_pointer("config", config);
    require_struct_size("config", config->struct_size, sizeof(specfast_config));
    *plan = new specfast_plan(*config);
  });
}

specfast_status specfast_plan_create_with_weights(const specfast_config* config,
                                                  const specfast_weights* weights,
                                                  specfast_plan** plan) {
  return guarded([&] {
    require_pointer("plan", plan);
    *plan = nullptr;
    require_pointer("config", config);
    require_struct_size("config", config->struct_size, sizeof(specfast_config));
    require_pointer("weights", weights);
    require_struct_size("weights", weights->struct_size, sizeof(specfast_weights));
    *plan = new specfast_plan(*config, weights);
  });
}

int32_t specfast_plan_is_analytic(const specfast_plan* plan) {
  return plan ? plan->is_analytic() : 0;
}

specfast_status specfast_analytic_weights(const specfast_config* config, double* real_kernel,
                                          double* imag_kernel) {
  return guarded([&] {
    require_pointer("config", config);
    require_struct_size("config", config->struct_size, sizeof(specfast_config));
    const Config checked = validate(*config);
    if (checked.mel) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "mode must not be SPECFAST_MODE_MEL: it has no kernels");
    }
    if (has_real_kernel(checked.spectrum_op)) require_pointer("real_kernel", real_kernel);
    if (has_imag_kernel(checked.spectrum_op)) require_pointer("imag_kernel", imag_kernel);
    const Weights weights = analytic_weights(checked);
    std::copy(weights.real.begin(), weights.real.end(), real_kernel);
    std::copy(weights.imag.begin(), weights.imag.end(), imag_kernel);
  });
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
    if (num_threads == 0) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "num_threads must be the most tasks that a call may give to the runner, at least "
                  "1, received num_threads=0");
    }
    require_num_threads(num_threads);
    *workspace = new specfast_workspace(*plan, Team(num_threads, runner, context));
  });
}

void specfast_workspace_destroy(specfast_workspace* workspace) { delete workspace; }

specfast_status specfast_execute(const specfast_plan* plan, specfast_workspace* workspace,
                                 const specfast_batch* batch) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_pointer("workspace", workspace);
    require_pointer("batch", batch);
    require_struct_size("batch", batch->struct_size, sizeof(specfast_batch));
    execute(*plan, *workspace, *batch);
  });
}

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
    require_pointer("batch", batch);
    require_struct_size("batch", batch->struct_size, sizeof(specfast_batch));
    require_pointer("kept", kept);
    execute(*plan, *workspace, *batch, {true, kept});
  });
}

specfast_status specfast_pull_back(const specfast_plan* plan, int32_t num_threads,
                                   const specfast_batch* batch, const specfast_gradient* gradient) {
  return guarded([&] {
    require_pointer("plan", plan);
    require_num_threads(num_threads);
    require_pointer("batch", batch);
    require_struct_size("batch", batch->struct_size, sizeof(specfast_batch));
    require_pointer("gradient", gradient);
    require_struct_size("gradient", gradient->struct_size, sizeof(specfast_gradient));
    pull_back(*plan, useful_threads(num_threads > 0 ? num_threads : default_num_threads()), *batch,
              *gradient);
  });
}

specfast_status specfast_window(const char* name, int64_t length, int32_t periodic,
                                double* values) {
  return guarded([&] {
    require_pointer("name", name);
    require_pointer("values", values);
    const std::vector<double> window = make_window(name, length, periodic != 0);
    std::copy(window.begin(), window.end(), values);
  });
}

const char* specfast_window_name(size_t index) { return window_name(index); }

specfast_status specfast_mel_weights(int64_t num_mel_bins, int64_t num_bins,
                                     double sampling_rate_hz, double min_freq_hz,
                                     double max_freq_hz, double* weights) {
  return guarded([&] {
    require_pointer("weights", weights);
    check_mel_grid(num_mel_bins, num_bins, sampling_rate_hz, min_freq_hz, max_freq_hz);
    dense_weights(
        make_filterbank(num_mel_bins, num_bins, sampling_rate_hz, min_freq_hz, max_freq_hz),
        num_mel_bins, num_bins, weights);
  });
}

int32_t specfast_num_threads(void) { return default_num_threads(); }

specfast_status specfast_set_num_threads(int32_t num_threads) {
  return guarded([&] {
    require_num_threads(num_threads);
    set_default_num_threads(num_threads);
  });
}

specfast_status specfast_get_build_info(specfast_build_info* info) {
  return guarded([&] {
    require_pointer("info", info);
    require_struct_size("info", info->struct_size, sizeof(specfast_build_info));
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
