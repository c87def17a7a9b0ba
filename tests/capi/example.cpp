// SPDX-License-Identifier: BSD-3-Clause
#include "example.h"

#include "harness.h"

namespace fuzz {
namespace {

constexpr std::int64_t kLength = 8, kBins = kLength / 2 + 1, kSamples = 64;

}  // namespace

Example::Example(std::int32_t its_dtype) : dtype(its_dtype) {
  const std::size_t bytes = bytes_of(dtype);
  check("config_init", specfast_config_init(&config, sizeof(config), SPECFAST_MODE_MAGNITUDE), 0);
  config.dtype = dtype;
  config.frame_length = config.fft_length = kLength;
  config.hop = kLength / 2;
  config.sampling_rate_hz = 8000;
  window.assign(std::size_t(kLength), 0.5);
  config.window = window.data();

  Random random(1);
  real = Buffer(std::size_t(kLength * kBins) * bytes);
  imag = Buffer(std::size_t(kLength * kBins) * bytes);
  fill(random, real.data(), dtype, kLength * kBins);
  fill(random, imag.data(), dtype, kLength * kBins);
  weights.struct_size = sizeof(weights);
  weights.dtype = dtype;
  weights.rounding = 1e-7;
  weights.real_kernel = real.data();
  weights.imag_kernel = imag.data();
  check("plan_create_with_weights", specfast_plan_create_with_weights(&config, &weights, &plan), 0);
  check("workspace_create", specfast_workspace_create(plan, 2, &workspace), 0);

  const std::int64_t frames = specfast_plan_num_frames(plan, kSamples);
  input = Buffer(std::size_t(kSamples) * bytes);
  output = Buffer(std::size_t(frames * kBins) * bytes);
  kept = Buffer(std::size_t(specfast_plan_num_kept(plan, kSamples)) * bytes);
  fill(random, input.data(), dtype, kSamples);
  batch.struct_size = sizeof(batch);
  batch.input = input.data();
  batch.in_dtype = dtype;
  batch.num_batches = batch.num_channels = 1;
  batch.num_samples = kSamples;
  batch.in_sample_stride = 1;
  batch.output = output.data();
  batch.out_frame_stride = kBins;
  batch.out_row_stride = 1;
  check("execute_keep", specfast_execute_keep(plan, workspace, &batch, kept.data()), 0);

  signal = Buffer(std::size_t(kSamples) * bytes);
  real_gradient = Buffer(std::size_t(kLength * kBins) * bytes);
  imag_gradient = Buffer(std::size_t(kLength * kBins) * bytes);
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = output.data();
  gradient.cotangent_frame_stride = kBins;
  gradient.cotangent_row_stride = 1;
  gradient.kept = kept.data();
  gradient.signal = signal.data();
  gradient.signal_sample_stride = 1;
  gradient.real_kernel = real_gradient.data();
  gradient.imag_kernel = imag_gradient.data();

  check("stream_config_init", specfast_stream_config_init(&stream_config, sizeof(stream_config)),
        0);
  check("stream_create", specfast_stream_create(plan, &stream), 0);
  check("stream_prepare", specfast_stream_prepare(stream, &stream_config), 0);
}

Example::~Example() {
  specfast_stream_destroy(stream);
  specfast_workspace_destroy(workspace);
  specfast_plan_destroy(plan);
}

specfast_block Example::block() const {
  specfast_block block = {};
  block.struct_size = sizeof(block);
  block.input = input.data();
  block.in_dtype = dtype;
  block.num_samples = kSamples;
  block.in_sample_stride = 1;
  block.output = output.data();
  block.max_frames = specfast_plan_num_frames(plan, kSamples);
  block.out_frame_stride = kBins;
  block.out_row_stride = 1;
  return block;
}

}  // namespace fuzz
