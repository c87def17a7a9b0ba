// SPDX-License-Identifier: BSD-3-Clause
// Frame counts, padding splits and reflected indices, in checked 64-bit integers.
#pragma once

#include <cstdint>

namespace specfast::engine {

struct Config;

// Beyond this, sums of a sample number and a few lengths could overflow.
constexpr int64_t kMaxSamples = int64_t(1) << 62;

// Throw Error(SPECFAST_E_OVERFLOW) when the result does not fit.
int64_t checked_multiply(int64_t a, int64_t b);
int64_t checked_add(int64_t a, int64_t b);

int64_t num_frames(const Config& config, int64_t num_samples);

// Samples of padding before the first sample of the signal, counted to the first sample under the
// window.
int64_t left_padding(const Config& config, int64_t num_samples);

// The index that a reflected signal of num_samples >= 1 samples has at `index`; the reflection
// repeats without end, the edge samples are not repeated (numpy.pad mode "reflect").
int64_t reflect_index(int64_t index, int64_t num_samples);

}  // namespace specfast::engine
