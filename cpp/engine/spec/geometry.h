// SPDX-License-Identifier: BSD-3-Clause
// Frame counts, padding splits and padded indices.
#pragma once

#include <algorithm>
#include <cstdint>

#include "seam/types.h"

namespace specfast::engine {

struct Config;

// Beyond this, sums of a sample number and a few lengths could overflow.
constexpr int64_t kMaxSamples = int64_t(1) << 62;

// The rows of a frame: bins, twice the bins, bands or cepstra; and all of them, derivatives over
// time included.
int64_t num_static_rows(const Config& config);
int64_t num_rows(const Config& config);

// Frames of a result, and how many of them, from the first on, hold what was computed.
int64_t num_frames(const Config& config, int64_t num_samples);
int64_t num_valid_frames(const Config& config, int64_t num_samples);

// Samples of padding before the first sample of the signal, counted to the first sample under the
// window.
int64_t left_padding(const Config& config, int64_t num_samples);

// Tells whether it depends on the length of the signal, as it does with padding "same".
bool left_padding_varies(const Config& config);

// Frame t can be computed when t * hop + latency samples of a signal with this left padding are
// known: its own, and as many as tell that it is valid.
int64_t latency_samples(const Config& config, int64_t left_padding);

// A signal of num_samples >= 1 samples, padded without end on both sides, has at `index`, outside
// of it, and up to `count` - 1 places further the samples first, first + step, ..., or zeros if
// `first` is kNoSample.
struct PaddedRun {
  int64_t first, step, count;
};
constexpr int64_t kNoSample = -1;
PaddedRun padded_run(PadMode mode, int64_t index, int64_t num_samples);

// body(index, run) for the runs that make up [begin, end), each cut to it.
template <typename Body>
void for_each_padded_run(PadMode mode, int64_t begin, int64_t end, int64_t num_samples,
                         const Body& body) {
  while (begin < end) {
    PaddedRun run = padded_run(mode, begin, num_samples);
    run.count = std::min(run.count, end - begin);
    body(begin, run);
    begin += run.count;
  }
}

}  // namespace specfast::engine
