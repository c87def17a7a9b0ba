// SPDX-License-Identifier: BSD-3-Clause
// How long a push takes: W5, a mel spectrogram of 16 kHz mono, 10 ms a push, and a few others.
//
//   stream_latency [NUM_PUSHES]
//
// Prints p50, p99.9 and the largest of all times, in microseconds, reading the clock included.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "specfast/specfast.hpp"

namespace {

struct Workload {
  const char* name;
  specfast_mode mode;
  specfast_dtype dtype;
  std::int64_t frame_length, hop, fft_length, num_mel_bins;
  std::int64_t num_channels, block;
  specfast_max_rule max_rule;
};

constexpr Workload kWorkloads[] = {
    {"W5: mel 400/160, fft 512, 80 bands", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512, 80,
     1, 160, SPECFAST_MAX_NONE},
    {"  with a running maximum", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512, 80, 1, 160,
     SPECFAST_MAX_RUNNING},
    {"  two channels", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512, 80, 2, 160,
     SPECFAST_MAX_NONE},
    {"  float64", SPECFAST_MODE_MEL, SPECFAST_FLOAT64, 400, 160, 512, 80, 1, 160,
     SPECFAST_MAX_NONE},
    {"mel 2048/512, 128 bands, 512 a push", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 2048, 512, 2048,
     128, 1, 512, SPECFAST_MAX_NONE},
    {"log 256/128, fft 512, 128 a push", SPECFAST_MODE_LOG, SPECFAST_FLOAT32, 256, 128, 512, 0, 1,
     128, SPECFAST_MAX_NONE},
    {"mel 401/160, fft 401 (prime), 80 bands", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 401, 160, 401,
     80, 1, 160, SPECFAST_MAX_NONE},
};

std::vector<double> times_us(const Workload& work, std::size_t num_pushes) {
  specfast_config config = specfast::default_config(work.mode);
  config.dtype = work.dtype;
  config.frame_length = work.frame_length;
  config.hop = work.hop;
  config.fft_length = work.fft_length;
  if (work.num_mel_bins) config.num_mel_bins = work.num_mel_bins;
  config.top_db_scope =
      work.max_rule == SPECFAST_MAX_NONE ? SPECFAST_TOP_DB_NONE : SPECFAST_TOP_DB_CLIP;
  const std::vector<double> window = specfast::window("hann", work.frame_length, true);
  config.window = window.data();
  const specfast::Plan plan(config);
  specfast_stream_config stream_config = specfast::default_stream_config();
  stream_config.num_channels = work.num_channels;
  stream_config.max_block = work.block;
  stream_config.max_rule = work.max_rule;
  specfast::Stream stream(plan, stream_config);

  // Ten seconds of noise, so that the samples are not always in the nearest cache.
  std::vector<float> samples(std::size_t(160000 * work.num_channels));
  std::mt19937 random(1);
  for (float& sample : samples) sample = float(random()) / 4294967296.0f - 0.5f;
  std::vector<double> output(stream.max_values());
  specfast::Signals signals = specfast::contiguous(samples.data(), work.num_channels, work.block);
  signals.channel_stride = 160000;
  specfast::Frames frames = specfast::by_frame(output);
  frames.dtype = work.dtype;  // `output` has room for either
  specfast_block block = stream.block_of(signals, frames);

  using Clock = std::chrono::steady_clock;
  std::vector<double> times(num_pushes);
  const std::int64_t blocks = 160000 / work.block;
  for (std::size_t i = 0; i < num_pushes; ++i) {
    block.input = samples.data() + std::int64_t(i) % blocks * work.block;
    const Clock::time_point begin = Clock::now();
    stream.push(block);
    times[i] = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  }
  return times;
}

}  // namespace

int main(int argc, char** argv) {
  const long num_pushes = argc > 1 ? std::atol(argv[1]) : 100000;
  if (argc > 2 || num_pushes < 1) {
    std::fprintf(stderr, "usage: %s [NUM_PUSHES]\n", argv[0]);
    return 2;
  }
  std::printf("%s kernels, %ld pushes each\n%-40s %9s %9s %9s  us a push\n",
              specfast::build_info().isa, num_pushes, "", "p50", "p99.9", "max");
  for (const Workload& work : kWorkloads) {
    std::vector<double> times = times_us(work, std::size_t(num_pushes));
    std::sort(times.begin(), times.end());
    const auto quantile = [&times](double share) {
      return times[std::min(std::size_t(share * double(times.size())), times.size() - 1)];
    };
    std::printf("%-40s %9.2f %9.2f %9.2f\n", work.name, quantile(0.5), quantile(0.999),
                times.back());
  }
}
