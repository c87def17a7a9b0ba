// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/job.h"

#include <limits>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/error.h"

namespace specfast::engine {
namespace {

void require_batch(bool ok, const char* argument, int64_t received, const char* accepted) {
  if (ok) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT, std::string(argument) + " must be " + accepted +
                                               ", received " + argument + "=" +
                                               std::to_string(received));
}

// Checks the lengths of signals, if they have their own.
void check_lengths(const Job& job) {
  if (!job.batch.lengths) return;
  require_pointer("lengths", job.batch.lengths, sizeof(int64_t));
  for (int64_t signal = 0; signal < job.num_signals; ++signal) {
    const int64_t length = job.batch.lengths[signal];
    if (length >= 0 && length <= job.batch.num_samples) continue;
    throw Error(
        SPECFAST_E_INVALID_ARGUMENT,
        "lengths must be between 0 and num_samples=" + std::to_string(job.batch.num_samples) +
            ", received lengths[" + std::to_string(signal) + "]=" + std::to_string(length));
  }
}

// Checks where the samples lie.
void check_place(const Job& job, std::size_t bytes) {
  const specfast_batch& batch = job.batch;
  if (batch.num_samples == 0) return;
  if (!batch.starts) {
    require_pointer("input", batch.input, bytes);
    return check_extent({{batch.num_batches, batch.in_batch_stride},
                         {batch.num_channels, batch.in_channel_stride},
                         {batch.num_samples, batch.in_sample_stride}},
                        bytes);
  }
  require_pointer("starts", batch.starts, sizeof(void*));
  check_extent({{batch.num_samples, batch.in_sample_stride}}, bytes);
  for (int64_t signal = 0; signal < job.num_signals; ++signal)
    if (job.num_samples_of(signal) > 0) require_pointer("starts", batch.starts[signal], bytes);
}

}  // namespace

std::size_t element_bytes(Precision precision) {
  return precision == Precision::kFloat64 ? sizeof(double) : sizeof(float);
}

std::size_t input_bytes(int32_t dtype) {
  return dtype == SPECFAST_FLOAT64   ? sizeof(double)
         : dtype == SPECFAST_FLOAT32 ? sizeof(float)
                                     : sizeof(int16_t);
}

bool reach_fits(std::initializer_list<std::pair<int64_t, int64_t>> counts_and_strides,
                std::size_t bytes) noexcept {
  int64_t reach = 1;
  for (const auto& [count, stride] : counts_and_strides) {
    if (stride == std::numeric_limits<int64_t>::min()) return false;
    int64_t extent;
    if (count > 0 && (__builtin_mul_overflow(count - 1, stride < 0 ? -stride : stride, &extent) ||
                      __builtin_add_overflow(reach, extent, &reach)))
      return false;
  }
  return !__builtin_mul_overflow(reach, int64_t(bytes), &reach);
}

void check_extent(std::initializer_list<std::pair<int64_t, int64_t>> counts_and_strides,
                  std::size_t bytes) {
  if (reach_fits(counts_and_strides, bytes)) return;
  std::string received;
  for (const auto& [count, stride] : counts_and_strides)
    received += " " + std::to_string(count) + " * " + std::to_string(stride);
  throw Error(SPECFAST_E_OVERFLOW, "sizes and strides do not fit 64 bits, received" + received);
}

void check_frames(const char* name, const void* values, std::size_t bytes, int64_t num_rows,
                  const Job& job, const FrameStrides& strides) {
  require_pointer(name, values, bytes);
  check_extent({{job.batch.num_batches, strides.batch},
                {job.batch.num_channels, strides.channel},
                {job.num_frames, strides.frame},
                {num_rows, strides.row}},
               bytes);
}

void check_frames(const char* name, const void* values, const Plan& plan, const Job& job,
                  const FrameStrides& strides) {
  check_frames(name, values, element_bytes(plan.config().precision), plan.num_rows(), job, strides);
}

void check_kept(const Plan& plan, int64_t num_samples, const void* kept) {
  if (plan.num_kept(num_samples) == 0) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "kept must be NULL where specfast_plan_num_kept() is 0");
  }
  require_pointer("kept", kept, element_bytes(plan.config().precision));
}

Job check_input(const Plan& plan, const specfast_batch& batch, int64_t lanes) {
  return check_input(plan.config(), batch, lanes, SPECFAST_INT16);
}

Job check_input(const Config& config, const specfast_batch& batch, int64_t lanes,
                int32_t last_dtype) {
  require_batch(batch.in_dtype >= SPECFAST_FLOAT32 && batch.in_dtype <= last_dtype, "in_dtype",
                batch.in_dtype, "a specfast_dtype that is read here");
  if (!scale_is_sound(batch.in_scale, config.precision)) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT, refused_scale(batch.in_scale).data());
  }
  require_batch(batch.num_batches >= 0, "num_batches", batch.num_batches, "not negative");
  require_batch(batch.num_channels >= 0, "num_channels", batch.num_channels, "not negative");
  require_batch(batch.num_samples >= 0, "num_samples", batch.num_samples, "not negative");
  if (batch.num_samples > kMaxSamples) {
    throw Error(SPECFAST_E_OVERFLOW, "num_samples must be at most 2^62, received num_samples=" +
                                         std::to_string(batch.num_samples));
  }

  require_batch(batch.num_frames >= 0, "num_frames", batch.num_frames, "not negative");

  Job job{batch, config, 0, 0, 0};
  job.num_signals = checked_multiply(batch.num_batches, batch.num_channels);
  job.num_frames = batch.num_frames ? batch.num_frames : num_frames(config, batch.num_samples);
  job.num_tiles = ceil_div(job.num_frames, lanes);
  checked_multiply(checked_multiply(job.num_signals, job.num_frames), num_rows(config));
  if (job.is_empty()) return job;

  check_lengths(job);
  check_place(job, input_bytes(batch.in_dtype));
  return job;
}

}  // namespace specfast::engine
