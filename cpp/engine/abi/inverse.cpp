// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of inverse transforms: null checks, translation and catching.
#include "engine/run/inverse.h"

#include <string>

#include "engine/abi/checks.h"
#include "engine/abi/handles.h"
#include "engine/base/parallel.h"
#include "engine/run/inverse_gradient.h"

using namespace specfast::engine;

namespace {

Team team_of(int32_t num_threads, specfast_runner runner, void* context) {
  require_num_threads(num_threads);
  if (!runner) return Team(useful_threads(num_threads > 0 ? num_threads : default_num_threads()));
  require_runner_threads(num_threads);
  return Team(num_threads, runner, context);
}

template <typename Number>
int64_t number_of(const Number& number) {
  int64_t value = 0;
  guarded([&] { value = number(); });
  return value;
}

}  // namespace

specfast_status specfast_inverse_create(const specfast_config* config,
                                        const specfast_inverse_options* options,
                                        specfast_inverse** inverse) {
  return guarded([&] {
    require_pointer("inverse", inverse);
    *inverse = nullptr;
    require_struct("config", config);
    if (options) require_struct("options", options);
    *inverse = new specfast_inverse(*config, options);
  });
}

void specfast_inverse_destroy(specfast_inverse* inverse) { delete inverse; }

specfast_status specfast_inverse_workspace_create(const specfast_inverse* inverse,
                                                  int32_t num_threads, specfast_runner runner,
                                                  void* context, specfast_workspace** workspace) {
  return guarded([&] {
    require_pointer("workspace", workspace);
    *workspace = nullptr;
    require_pointer("inverse", inverse);
    *workspace =
        new specfast_workspace(inverse->workspace_bytes(), team_of(num_threads, runner, context));
  });
}

int64_t specfast_inverse_num_samples(const specfast_inverse* inverse, int64_t num_frames) {
  return number_of([&] { return inverse ? usual_num_samples(inverse->config(), num_frames) : 0; });
}

int64_t specfast_inverse_max_samples(const specfast_inverse* inverse, int64_t num_frames) {
  return number_of([&] { return inverse ? max_num_samples(inverse->config(), num_frames) : 0; });
}

specfast_status specfast_inverse_lost_samples(const specfast_inverse* inverse, int64_t num_frames,
                                              int64_t num_samples, int64_t* at_begin,
                                              int64_t* at_end) {
  return guarded([&] {
    require_pointer("inverse", inverse);
    require_pointer("at_begin", at_begin);
    require_pointer("at_end", at_end);
    const LostSamples lost = lost_samples(*inverse, num_frames, num_samples);
    *at_begin = lost.at_begin;
    *at_end = lost.at_end;
  });
}

specfast_status specfast_inverse_execute(const specfast_inverse* inverse,
                                         specfast_workspace* workspace,
                                         const specfast_spectra* spectra) {
  return guarded([&] {
    require_pointer("inverse", inverse);
    require_pointer("workspace", workspace);
    require_struct("spectra", spectra);
    invert(*inverse, *workspace, *spectra);
  });
}

specfast_status specfast_inverse_pull_back(const specfast_inverse* inverse, int32_t num_threads,
                                           const specfast_inverse_gradient* gradient) {
  return guarded([&] {
    require_pointer("inverse", inverse);
    require_num_threads(num_threads);
    require_struct("gradient", gradient);
    pull_back_inverse(
        *inverse, useful_threads(num_threads > 0 ? num_threads : default_num_threads()), *gradient);
  });
}
