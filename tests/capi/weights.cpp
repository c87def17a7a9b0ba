// SPDX-License-Identifier: BSD-3-Clause
// Given kernels and gradients.
#include <algorithm>

#include "harness.h"

namespace fuzz {
namespace {

constexpr int kReal = 1, kImag = 2;

int kernels_of(std::int32_t mode) {
  return mode == SPECFAST_MODE_REAL ? kReal : mode == SPECFAST_MODE_IMAG ? kImag : kReal | kImag;
}

std::int64_t kernel_size(const specfast_config& config) {
  return config.frame_length * (config.fft_length / 2 + 1);
}

void spoil(Random& random, specfast_weights& weights, const void* other) {
  switch (random.below(4)) {
    case 0:
      weights.struct_size = random.bad_size(sizeof(weights));
      break;
    case 1:
      weights.dtype = random.one_in(2) ? SPECFAST_INT16 : random.bad_enum();
      break;
    case 2:
      weights.rounding = random.one_in(2) ? -1e-9 : random.bad_number();
      break;
    default:  // one that is missing, or one too many
      weights.real_kernel = weights.real_kernel ? nullptr : other;
      break;
  }
}

}  // namespace

void create_weighted_plan(Random& random, Plan& plan, bool config_is_bad) {
  const specfast_config& config = plan.config;
  const bool mel = config.mode == SPECFAST_MODE_MEL;
  specfast_weights weights = {};
  weights.struct_size = sizeof(weights);
  weights.dtype = std::int32_t(random.below(2));
  weights.rounding = 1e-7;
  const std::int64_t count = config_is_bad || mel ? 1 : kernel_size(config);
  const Buffer real(std::size_t(count) * bytes_of(weights.dtype));
  const Buffer imag(std::size_t(count) * bytes_of(weights.dtype));
  fill(random, real.data(), weights.dtype, count);
  fill(random, imag.data(), weights.dtype, count);
  if (kernels_of(config.mode) & kReal) weights.real_kernel = real.data();
  if (kernels_of(config.mode) & kImag) weights.imag_kernel = imag.data();
  const bool spoiled = random.one_in(4);
  if (spoiled) spoil(random, weights, real.data());
  refused("plan_create_with_weights",
          specfast_plan_create_with_weights(&config, nullptr, &plan.handle));
  refused("plan_create_with_weights",
          specfast_plan_create_with_weights(nullptr, &weights, &plan.handle));
  refused("plan_create_with_weights",
          specfast_plan_create_with_weights(&config, &weights, nullptr));
  const bool bad = spoiled || config_is_bad || mel;
  check("plan_create_with_weights",
        specfast_plan_create_with_weights(&config, &weights, &plan.handle), bad ? kRefused : 0,
        !bad);
  refused("analytic_weights", specfast_analytic_weights(&config, nullptr, nullptr));
  refused("analytic_weights", specfast_analytic_weights(nullptr, nullptr, nullptr));
}

void pull_back(Random& random, const Plan& plan) {
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = std::int32_t(random.below(3));
  batch.num_batches = random.below(3);
  batch.num_channels = random.below(3);
  batch.num_samples =
      shortened(plan, random.below(200), batch.num_batches * batch.num_channels, limits.max_values);
  batch.in_sample_stride = 1;
  batch.in_channel_stride = batch.num_samples;
  batch.in_batch_stride = batch.num_channels * batch.num_samples;
  const std::int64_t read = batch.num_batches * batch.in_batch_stride;
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, batch.num_samples);
  const std::int64_t values = batch.num_batches * batch.num_channels * frames * rows;
  const std::int32_t dtype = plan.config.dtype;
  const bool mel = plan.config.mode == SPECFAST_MODE_MEL;
  const std::int64_t kernel = mel ? 1 : kernel_size(plan.config);
  if (values > std::int64_t(1) << 20 || kernel > std::int64_t(1) << 20) return;
  const Buffer input(std::size_t(read) * bytes_of(batch.in_dtype));
  const Buffer cotangent(std::size_t(values) * bytes_of(dtype));
  const Buffer signal(std::size_t(read) * bytes_of(dtype));
  const Buffer real(std::size_t(kernel) * bytes_of(dtype));
  const Buffer imag(std::size_t(kernel) * bytes_of(dtype));
  fill(random, input.data(), batch.in_dtype, read);
  fill(random, cotangent.data(), dtype, values);
  batch.input = input.data();
  specfast_gradient gradient = {};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = cotangent.data();
  gradient.cotangent_row_stride = 1;
  gradient.cotangent_frame_stride = rows;
  gradient.cotangent_channel_stride = frames * rows;
  gradient.cotangent_batch_stride = batch.num_channels * frames * rows;
  gradient.signal = random.one_in(4) ? nullptr : signal.data();
  gradient.signal_sample_stride = 1;
  gradient.signal_channel_stride = batch.num_samples;
  gradient.signal_batch_stride = batch.num_channels * batch.num_samples;
  const int kernels = mel ? 0 : kernels_of(plan.config.mode);
  if ((kernels & kReal) && random.one_in(2)) gradient.real_kernel = real.data();
  if ((kernels & kImag) && random.one_in(2)) gradient.imag_kernel = imag.data();

  std::int32_t threads = std::int32_t(random.between(0, 2));
  const bool spoiled = random.one_in(3);
  if (spoiled) {
    switch (random.below(6)) {
      case 0:
        gradient.struct_size = random.bad_size(sizeof(gradient));
        break;
      case 1:
        batch.struct_size = random.bad_size(sizeof(batch));
        break;
      case 2:
        threads = random.one_in(2) ? -1 : 4097;
        break;
      case 3:
        batch.in_dtype = random.bad_enum();
        break;
      case 4:
        batch.num_samples = random.one_in(2) ? -1 : INT64_MAX;
        break;
      default:
        if (values == 0) return;
        if (random.one_in(2)) {
          gradient.cotangent = random.one_in(2) ? nullptr : signal.data();
          if (gradient.cotangent)
            gradient.cotangent = static_cast<const unsigned char*>(gradient.cotangent) + 1;
        } else {
          gradient.cotangent_row_stride = INT64_MIN;
        }
        break;
    }
  }
  const bool starved = random.one_in(10);
  if (starved) allocations_left = random.below(12);
  const specfast_status status = specfast_pull_back(plan.handle, threads, &batch, &gradient);
  allocations_left = -1;
  const bool refusable = spoiled || !has_gradient(plan.config);
  check("pull_back", status, (starved ? kMemory : 0) | (refusable ? kRefused : 0),
        !spoiled && may_have_gradient(plan.config));
  refused("pull_back", specfast_pull_back(nullptr, 1, &batch, &gradient));
  refused("pull_back", specfast_pull_back(plan.handle, 1, nullptr, &gradient));
  refused("pull_back", specfast_pull_back(plan.handle, 1, &batch, nullptr));
}

void keep(Random& random, const Plan& plan) {
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = plan.config.dtype;
  batch.num_batches = random.between(1, 2);
  batch.num_channels = random.between(1, 2);
  const std::int64_t signals = batch.num_batches * batch.num_channels;
  batch.num_samples = std::max<std::int64_t>(
      shortened(plan, random.between(1, 900), signals, limits.max_values), 1);
  batch.in_sample_stride = 1;
  batch.in_channel_stride = batch.num_samples;
  batch.in_batch_stride = batch.num_channels * batch.num_samples;
  const std::int64_t read = signals * batch.num_samples;
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, batch.num_samples);
  const std::int64_t values = signals * frames * rows;
  if (!plan.workspace || values == 0 || values > std::int64_t(1) << 20) return;
  const std::size_t bytes = bytes_of(plan.config.dtype);
  const Buffer input(std::size_t(read) * bytes), output(std::size_t(values) * bytes);
  fill(random, input.data(), batch.in_dtype, read);
  batch.input = input.data();
  batch.output = output.data();
  batch.out_row_stride = 1;
  batch.out_frame_stride = rows;
  batch.out_channel_stride = frames * rows;
  batch.out_batch_stride = batch.num_channels * frames * rows;

  const std::int64_t num_kept = specfast_plan_num_kept(plan.handle, batch.num_samples);
  const bool keeps = num_kept > 0;
  const Buffer kept(std::size_t(signals * num_kept) * bytes);
  refused("execute_keep", specfast_execute_keep(plan.handle, plan.workspace, &batch, nullptr));
  refused("execute_keep", specfast_execute_keep(plan.handle, plan.workspace, nullptr, kept.data()));
  refused("execute_keep", specfast_execute_keep(nullptr, plan.workspace, &batch, kept.data()));
  if (!check("execute_keep",
             specfast_execute_keep(plan.handle, plan.workspace, &batch, kept.data()),
             keeps ? 0 : kRefused, keeps))
    return;

  const Buffer signal(std::size_t(read) * bytes), again(std::size_t(read) * bytes);
  specfast_gradient gradient = {};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = output.data();
  gradient.cotangent_row_stride = batch.out_row_stride;
  gradient.cotangent_frame_stride = batch.out_frame_stride;
  gradient.cotangent_channel_stride = batch.out_channel_stride;
  gradient.cotangent_batch_stride = batch.out_batch_stride;
  gradient.signal = signal.data();
  gradient.signal_sample_stride = 1;
  gradient.signal_channel_stride = batch.in_channel_stride;
  gradient.signal_batch_stride = batch.in_batch_stride;
  check("pull_back", specfast_pull_back(plan.handle, 2, &batch, &gradient), 0);
  gradient.kept = kept.data();
  gradient.signal = again.data();
  const specfast_status status = specfast_pull_back(plan.handle, 2, &batch, &gradient);
  check("pull_back", status, 0);
  if (std::memcmp(signal.data(), again.data(), std::size_t(read) * bytes) != 0)
    broken("pull_back", status, "the same bits with and without kept spectra");
  gradient.kept = static_cast<const unsigned char*>(kept.data()) + 1;
  refused("pull_back", specfast_pull_back(plan.handle, 2, &batch, &gradient));
}

}  // namespace fuzz
