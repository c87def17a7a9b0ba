// SPDX-License-Identifier: BSD-3-Clause
// Frame counts, padding splits and reflected indices.
#pragma once

#include <algorithm>
#include <cstdint>

namespace specfast::engine {

struct Config;

// Beyond this, sums of a sample number and a few lengths could overflow.
constexpr int64_t kMaxSamples = int64_t(1) << 62;

// The rows of a frame: bins, twice the bins, or bands.
int64_t num_rows(const Config& config);

int64_t num_frames(const Config& config, int64_t num_samples);

// Samples of padding before the first sample of the signal, counted to the first sample under the
// window.
int64_t left_padding(const Config& config, int64_t num_samples);

// A signal of num_samples >= 1 samples, reflected without end, its edge samples not repeated
// (numpy.pad mode "reflect"), has at `index` and up to `count` - 1 places further the samples
// first, first + step, ...
struct ReflectedRun {
  int64_t first, step, count;
};
ReflectedRun reflected_run(int64_t index, int64_t num_samples);

// body(index, run) for the runs that make up [begin, end), each cut to it.
template <typename Body>
void for_each_reflected_run(int64_t begin, int64_t end, int64_t num_samples, const Body& body) {
  while (begin < end) {
    ReflectedRun run = reflected_run(begin, num_samples);
    run.count = std::min(run.count, end - begin);
    body(begin, run);
    begin += run.count;
  }
}

}  // namespace specfast::engine
