// SPDX-License-Identifier: BSD-3-Clause
// A call: the signals of a batch become tiles of frames, which threads share.
#pragma once

#include "engine/plan/plan.h"
#include "engine/plan/workspace.h"

namespace specfast::engine {

struct ExecuteOptions {
  bool with_scope = true;   // false: without the scope operation
  void* spectra = nullptr;  // where the spectra are kept too, Plan::num_kept() values a signal
};

// Checks the batch, then computes it.
void execute(const Plan& plan, Workspace& workspace, const specfast_batch& batch,
             const ExecuteOptions& options = {});

}  // namespace specfast::engine
