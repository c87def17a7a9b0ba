// SPDX-License-Identifier: BSD-3-Clause
#include "engine/device/device_plan.h"

#include <sstream>
#include <string>
#include <vector>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/device/backend.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"
#include "engine/spec/modes.h"
#include "engine/spec/recipe.h"
#include "engine/spec/twiddle.h"

namespace specfast::engine {
namespace {

constexpr int64_t kDefaultWorkspaceBytes = int64_t(256) << 20;

// The numbers of specfast_dtype are those of DeviceDtype.
static_assert(int(DeviceDtype::kFloat32) == SPECFAST_FLOAT32);
static_assert(int(DeviceDtype::kFloat64) == SPECFAST_FLOAT64);
static_assert(int(DeviceDtype::kInt16) == SPECFAST_INT16);
static_assert(int(DeviceDtype::kFloat16) == SPECFAST_FLOAT16);
static_assert(int(DeviceDtype::kBfloat16) == SPECFAST_BFLOAT16);

std::vector<double> roots_of_unity(int64_t length) {
  std::vector<double> roots;
  if (length > kMaxRoots) return roots;
  for (int64_t k = 0; k < length; ++k) {
    const Turn root = turn(k, length);
    roots.push_back(root.cosine);
    roots.push_back(root.sine);
  }
  return roots;
}

// What a recipe and its configuration are for a backend; both must stay.
BackendRecipe backend_recipe(const Config& config, const Recipe& recipe,
                             const std::vector<double>& roots, int64_t workspace_bytes) {
  BackendRecipe result{};
  result.precision = config.precision;
  result.spectrum_op = config.spectrum_op;
  result.frame_length = config.frame_length;
  result.hop = config.hop;
  result.dft_length = config.dft_length;
  result.num_bins = config.num_bins;
  result.padding = config.padding;
  result.window = recipe.window.data();
  result.roots = roots.empty() ? nullptr : roots.data();
  result.power_floor = recipe.power_floor;
  result.num_bands = recipe.filterbank.num_bands();
  result.interval_begin = recipe.filterbank.interval_begin.data();
  result.mel_weights = recipe.filterbank.weights.data();
  result.power_law = recipe.power_law;
  result.half_exponent = recipe.half_exponent;
  result.level_op = recipe.level_op;
  result.min_power = recipe.min_power;
  result.reference_level = recipe.reference_level;
  result.top_db_scope = config.top_db_scope;
  result.top_db = config.top_db;
  result.workspace_bytes = workspace_bytes;
  return result;
}

int64_t checked_workspace(int64_t workspace_bytes) {
  if (workspace_bytes < 0) {
    throw Error(
        SPECFAST_E_INVALID_ARGUMENT,
        "workspace_bytes must be positive, or 0 for the default, received workspace_bytes=" +
            std::to_string(workspace_bytes));
  }
  return workspace_bytes ? workspace_bytes : kDefaultWorkspaceBytes;
}

DeviceDtype checked_output(const Config& config, int32_t dtype) {
  const bool is_half = dtype == SPECFAST_FLOAT16 || dtype == SPECFAST_BFLOAT16;
  const bool is_single = config.precision == Precision::kFloat32;
  const int32_t own = is_single ? SPECFAST_FLOAT32 : SPECFAST_FLOAT64;
  if (dtype == own || (is_half && is_single)) return DeviceDtype(dtype);
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "out_dtype must be the plan's dtype, or FLOAT16 or BFLOAT16 with a FLOAT32 plan, "
              "received out_dtype=" +
                  std::to_string(dtype));
}

// Refuses what only the CPU computes.
void check_for_device(const Config& config) {
  const auto refuse_as = [](const char* field, const std::string& received) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                std::string(field) +
                    " must have its default on a device, which does not compute this: use a plan "
                    "for the CPU, received " +
                    received);
  };
  const auto require = [&refuse_as](bool ok, const char* field, auto value) {
    std::ostringstream received;
    received << field << '=' << value;
    if (!ok) refuse_as(field, received.str());
  };
  const auto require_none = [&require](const char* field, auto value) {
    require(int64_t(value) == 0, field, int64_t(value));
  };
  const auto require_empty = [&refuse_as](const char* field, const std::vector<double>& values) {
    if (!values.empty()) refuse_as(field, "an array");
  };
  const bool is_centered = config.padding == Padding::kCenter;
  require(config.padding <= Padding::kCenter, "padding", int32_t(config.padding));
  require(config.pad_mode == (is_centered ? PadMode::kReflect : PadMode::kZeros), "pad_mode",
          int32_t(config.pad_mode));
  require(config.frame_span == (is_centered ? config.fft_length : config.frame_length),
          "frame_span", config.frame_span);
  require_none("drop_frames", config.drop_frames);
  require_none("masked_frames", config.masked_frames);
  require_none("remove_dc", config.remove_dc);
  require_none("energy", config.energy);
  require_none("preemphasis_rule", config.preemphasis_rule);
  require(config.power_offset == 0, "power_offset", config.power_offset);
  require(config.level == SPECFAST_LEVEL_ENERGY || config.level == SPECFAST_LEVEL_DECIBEL, "level",
          config.level);
  require_none("num_cepstra", config.num_cepstra);
  require_empty("row_gain", config.row_gain);
  require_empty("row_offset", config.row_offset);
  require_empty("mel_weights", config.mel_weights);
  require_none("pcen", config.pcen);
  require_none("delta_order", config.delta_order);
  require_none("normalization", config.normalization);
}

}  // namespace

DevicePlan::DevicePlan(const specfast_config& raw, int32_t device, int64_t workspace_bytes)
    : config_(validate(raw)), backend_(backend()) {
  check_for_device(config_);
  const Recipe recipe = make_recipe(config_);
  const std::vector<double> roots = roots_of_unity(config_.dft_length);
  const BackendRecipe given =
      backend_recipe(config_, recipe, roots, checked_workspace(workspace_bytes));
  call_backend(backend_.create_plan, &given, device, &plan_);
}

DevicePlan::~DevicePlan() {
  // A child of fork() cannot free what the driver of its parent holds.
  if (has_backend()) backend_.destroy_plan(plan_);
}

void DevicePlan::execute(const specfast_batch& batch, int32_t out_dtype, void* stream) const {
  backend();  // refuses a child of fork()
  BackendCall call{};
  call.out_dtype = checked_output(config_, out_dtype);
  const Job job = check_input(config_, batch, 1, SPECFAST_BFLOAT16);
  if (job.is_empty()) return;
  if (batch.lengths || batch.starts || batch.num_frames) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "num_frames must be 0, and lengths and starts NULL, on a device, received "
                "num_frames=" +
                    std::to_string(batch.num_frames) + " and " +
                    (batch.lengths || batch.starts ? "an array" : "no array"));
  }
  check_frames("output", batch.output, input_bytes(out_dtype), num_rows(config_), job,
               {batch.out_batch_stride, batch.out_channel_stride, batch.out_frame_stride,
                batch.out_row_stride});
  call.input = batch.input;
  call.in_dtype = DeviceDtype(batch.in_dtype);
  call.in_scale = batch.in_scale == 0 ? 1 : batch.in_scale;
  call.num_signals = job.num_signals;
  call.num_channels = batch.num_channels;
  call.num_samples = batch.num_samples;
  call.in_batch_stride = batch.in_batch_stride;
  call.in_channel_stride = batch.in_channel_stride;
  call.in_sample_stride = batch.in_sample_stride;
  call.left_padding = job.left_padding_of(0);
  call.num_frames = job.num_frames;
  call.output = batch.output;
  call.out_batch_stride = batch.out_batch_stride;
  call.out_channel_stride = batch.out_channel_stride;
  call.out_frame_stride = batch.out_frame_stride;
  call.out_row_stride = batch.out_row_stride;
  call_backend(backend_.execute, plan_, static_cast<const BackendCall*>(&call), stream);
}

}  // namespace specfast::engine
