// SPDX-License-Identifier: BSD-3-Clause
// The handles of the C ABI, shared by its files.
#pragma once

#include "batch.h"
#include "plan.h"
#include "report.h"

struct specfast_plan : specfast::engine::Plan {
  using Plan::Plan;
};

struct specfast_workspace : specfast::engine::Workspace {
  using Workspace::Workspace;
};
