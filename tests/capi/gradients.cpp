// SPDX-License-Identifier: BSD-3-Clause
// Trained kernels and gradients through the C ABI.
#include <limits>

#include "harness.h"

namespace fuzz {
namespace {

constexpr double kBadRounding[] = {-1.0, 2.0, std::numeric_limits<double>::quiet_NaN()};

bool has_real(const specfast_config& config) { return config.mode != SPECFAST_MODE_IMAG; }
bool has_imag(const specfast_config& config) { return config.mode != SPECFAST_MODE_REAL; }
std::size_t num_weights(const specfast_config& config) {
  return std::size_t(config.frame_length * (config.fft_length / 2 + 1));
}

void spoil(Random& random, const specfast_config& config, specfast_weights& weights) {
  switch (random.below(5)) {
    case 0:
      weights.struct_size = random.bad_size(sizeof(weights));
      break;
    case 1:
      weights.dtype = random.one_in(2) ? SPECFAST_INT16 : random.bad_enum();
      break;
    case 2:
      weights.rounding = random.of(kBadRounding);
      break;
    case 3:
      (has_real(config) ? weights.real_kernel : weights.imag_kernel) = nullptr;
      break;
    default: {
      const void*& kernel = has_real(config) ? weights.real_kernel : weights.imag_kernel;
      kernel = static_cast<const unsigned char*>(kernel) + 1;
      break;
    }
  }
}

// What the arrays of a gradient need, and the arrays.
struct GradientArrays {
  specfast_batch batch = {};
  specfast_gradient gradient = {};
  Buffer input, cotangent, signal, real, imag;
  std::int64_t values;  // of the output

  GradientArrays(Random& random, const specfast_config& config, const specfast_plan* plan) {
    batch.struct_size = sizeof(batch);
    batch.in_dtype = std::int32_t(random.below(3));
    batch.num_batches = random.below(3);
    batch.num_channels = random.below(3);
    batch.num_samples = random.one_in(5) ? random.below(4) : random.below(900);
    batch.in_sample_stride = 1;
    batch.in_channel_stride = batch.num_samples;
    batch.in_batch_stride = batch.num_channels * batch.num_samples;
    const std::int64_t samples = batch.num_batches * batch.in_batch_stride;
    const std::int64_t rows = specfast_plan_num_rows(plan);
    const std::int64_t frames = specfast_plan_num_frames(plan, batch.num_samples);
    values = batch.num_batches * batch.num_channels * frames * rows;
    const std::size_t bytes = bytes_of(config.dtype);
    input = Buffer(std::size_t(samples) * bytes_of(batch.in_dtype));
    fill(random, input.data(), batch.in_dtype, samples);
    cotangent = Buffer(std::size_t(values) * bytes);
    fill(random, cotangent.data(), config.dtype, values);
    batch.input = input.data();

    gradient.struct_size = sizeof(gradient);
    gradient.cotangent = cotangent.data();
    const bool rows_next = random.one_in(2);
    gradient.cotangent_row_stride = rows_next ? 1 : frames;
    gradient.cotangent_frame_stride = rows_next ? rows : 1;
    gradient.cotangent_channel_stride = frames * rows;
    gradient.cotangent_batch_stride = batch.num_channels * frames * rows;
    const std::int64_t step = random.between(1, 2);
    signal = Buffer(std::size_t(samples * step) * bytes);
    gradient.signal_sample_stride = step;
    gradient.signal_channel_stride = batch.num_samples * step;
    gradient.signal_batch_stride = batch.in_batch_stride * step;
    if (!random.one_in(4)) gradient.signal = signal.data();
    if (config.mode == SPECFAST_MODE_MEL) return;
    real = Buffer(num_weights(config) * bytes);
    imag = Buffer(num_weights(config) * bytes);
    if (has_real(config) && !random.one_in(4)) gradient.real_kernel = real.data();
    if (has_imag(config) && !random.one_in(4)) gradient.imag_kernel = imag.data();
  }
};

// False where this cannot be spoiled so.
bool spoil(Random& random, const specfast_config& config, GradientArrays& arrays) {
  specfast_gradient& gradient = arrays.gradient;
  unsigned char* const odd = static_cast<unsigned char*>(arrays.signal.data()) + 1;
  switch (random.below(8)) {
    case 0:
      gradient.struct_size = random.bad_size(sizeof(gradient));
      return true;
    case 1:
      arrays.batch.struct_size = random.bad_size(sizeof(arrays.batch));
      return true;
    case 2:
      arrays.batch.num_samples = random.one_in(2) ? -1 : INT64_MAX;
      return true;
    case 3:
      gradient.cotangent = nullptr;
      return arrays.values > 0;
    case 4:
      gradient.cotangent_row_stride = INT64_MIN;
      return arrays.values > 0;
    case 5:
      if (arrays.values == 0) return false;
      gradient.signal = odd;
      return true;
    case 6:
      (has_real(config) ? gradient.imag_kernel : gradient.real_kernel) = odd;
      return true;  // misaligned, or a kernel that the mode does not have
    default:
      if (arrays.values == 0 || arrays.batch.num_samples < 2) return false;
      gradient.signal = arrays.signal.data();
      gradient.signal_sample_stride = INT64_MAX / 4;
      return true;
  }
}

// Lets the gradient have the spectra of a call, where there are any.
Buffer keep(Random& random, const specfast_config& config, const specfast_plan* plan,
            GradientArrays& arrays) {
  const std::int64_t per_signal = specfast_plan_num_kept(plan, arrays.batch.num_samples);
  const std::int64_t count = arrays.batch.num_batches * arrays.batch.num_channels * per_signal;
  const std::size_t bytes = bytes_of(config.dtype);
  Buffer kept(std::size_t(count) * bytes), output(std::size_t(arrays.values) * bytes);
  specfast_workspace* workspace = nullptr;
  if (!check("workspace_create", specfast_workspace_create(plan, 2, &workspace), kMemory))
    return kept;
  specfast_batch batch = arrays.batch;
  batch.output = output.data();
  batch.out_row_stride = arrays.gradient.cotangent_row_stride;
  batch.out_frame_stride = arrays.gradient.cotangent_frame_stride;
  batch.out_channel_stride = arrays.gradient.cotangent_channel_stride;
  batch.out_batch_stride = arrays.gradient.cotangent_batch_stride;
  refused("execute_keep", specfast_execute_keep(plan, workspace, &batch, nullptr));
  refused("execute_keep", specfast_execute_keep(nullptr, workspace, &batch, kept.data()));
  const bool keeps = count > 0;
  if (arrays.values > 0) {
    const specfast_status status = specfast_execute_keep(plan, workspace, &batch, kept.data());
    if (check("execute_keep", status, keeps ? 0 : kRefused, keeps) && !random.one_in(3))
      arrays.gradient.kept = kept.data();
  }
  specfast_workspace_destroy(workspace);
  return kept;
}

void pull_back(Random& random, const specfast_config& config, const specfast_plan* plan) {
  GradientArrays arrays(random, config, plan);
  const std::int32_t threads = std::int32_t(random.below(4));
  const Buffer kept = keep(random, config, plan, arrays);
  const bool spoiled = random.one_in(3) && spoil(random, config, arrays);
  const bool starved = !spoiled && random.one_in(10);
  if (starved) allocations_left = random.below(12);
  const specfast_status status = specfast_pull_back(plan, threads, &arrays.batch, &arrays.gradient);
  allocations_left = -1;
  check("pull_back", status, (spoiled ? kRefused : 0) | (starved ? kMemory : 0), !spoiled);
  refused("pull_back", specfast_pull_back(nullptr, threads, &arrays.batch, &arrays.gradient));
  refused("pull_back", specfast_pull_back(plan, threads, nullptr, &arrays.gradient));
  refused("pull_back", specfast_pull_back(plan, threads, &arrays.batch, nullptr));
  refused("pull_back", specfast_pull_back(plan, -1, &arrays.batch, &arrays.gradient));
}

}  // namespace

void try_gradients(Random& random) {
  std::vector<double> window;
  bool spoiled;
  const specfast_config config = plan_config(random, window, &spoiled);
  if (spoiled || config.fft_length > 1 << 12) return;
  if (config.mode == SPECFAST_MODE_MEL) {
    Plan plan;
    if (!check("plan_create", specfast_plan_create(&config, &plan.handle), kMemory)) return;
    double value = 0;
    refused("analytic_weights", specfast_analytic_weights(&config, &value, &value));
    pull_back(random, config, plan.handle);
    return;
  }
  std::vector<double> real(num_weights(config)), imag(num_weights(config));
  if (config.fft_length < 2) return;
  check("analytic_weights", specfast_analytic_weights(&config, real.data(), imag.data()), kMemory);
  refused("analytic_weights", specfast_analytic_weights(nullptr, real.data(), imag.data()));
  refused("analytic_weights", specfast_analytic_weights(&config, nullptr, nullptr));

  const bool trained = random.one_in(2);
  if (trained) {
    fill(random, real.data(), SPECFAST_FLOAT64, std::int64_t(real.size()));
    fill(random, imag.data(), SPECFAST_FLOAT64, std::int64_t(imag.size()));
  }
  specfast_weights weights = {};
  weights.struct_size = sizeof(weights);
  weights.dtype = SPECFAST_FLOAT64;
  if (has_real(config)) weights.real_kernel = real.data();
  if (has_imag(config)) weights.imag_kernel = imag.data();
  const bool bad = random.one_in(4);
  if (bad) spoil(random, config, weights);
  Plan plan;
  plan.config = config;
  const specfast_status status = specfast_plan_create_with_weights(&config, &weights, &plan.handle);
  if (!check("plan_create_with_weights", status, kMemory | (bad ? kRefused : 0), !bad)) return;
  if (!trained && !specfast_plan_is_analytic(plan.handle))
    broken("plan_is_analytic", 0, "1 for the analytic kernels");
  if (specfast_plan_is_analytic(nullptr)) broken("plan_is_analytic", 0, "0 for NULL");
  pull_back(random, config, plan.handle);
}

}  // namespace fuzz
