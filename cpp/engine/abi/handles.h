// SPDX-License-Identifier: BSD-3-Clause
// The handles of the C ABI, shared by its files.
#pragma once

#include "engine/base/error.h"
#include "engine/plan/inverse_plan.h"
#include "engine/plan/plan.h"
#include "engine/run/batch.h"

struct specfast_plan : specfast::engine::Plan {
  using Plan::Plan;
};

struct specfast_inverse : specfast::engine::InversePlan {
  using InversePlan::InversePlan;
};

struct specfast_workspace : specfast::engine::Workspace {
  using Workspace::Workspace;
};
