// SPDX-License-Identifier: BSD-3-Clause
// Where the finished hops of an inverse go: padding is left out, and edges are divided by the
// frames that reach them.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/spec/synthesis.h"

namespace specfast::engine {

// A signal of an inverse. Places count from the first sample of the first frame, samples from
// `left` places further on.
template <typename T>
struct InverseSignal {
  const Synthesis& synthesis;
  int64_t num_frames;
  int64_t left, num_samples;
  T* samples;
  int64_t stride;

  // Tells whether places [begin, end) can be written as they are, one after the other.
  bool takes_as_is(int64_t begin, int64_t end) const {
    return stride == 1 && begin >= std::max(left, synthesis.full_begin()) &&
           end <= std::min(left + num_samples, synthesis.full_end(num_frames));
  }
  T* address_of(int64_t place) const { return samples + (place - left) * stride; }

  // Writes the sums of frames at places [begin, end), of which the first is *sums; without places
  // `sums` may be null.
  void write(int64_t begin, int64_t end, const T* sums) const {
    const int64_t first = std::max(begin, left), last = std::min(end, left + num_samples);
    const int64_t full_begin = std::clamp(synthesis.full_begin(), first, std::max(first, last));
    const int64_t full_end =
        std::clamp(synthesis.full_end(num_frames), full_begin, std::max(full_begin, last));
    write_edge(first, std::min(full_begin, last), sums, begin);
    for (int64_t place = full_begin; place < full_end; ++place)
      *address_of(place) = sums[place - begin];
    write_edge(full_end, last, sums, begin);
  }

  // Writes zeros to the samples in front of the first frame, and to those behind the last one.
  void clear_front() const { clear(left, 0); }
  void clear_back() const { clear(synthesis.end_of(num_frames), left + num_samples); }

 private:
  void write_edge(int64_t begin, int64_t end, const T* sums, int64_t sums_begin) const {
    for (int64_t place = begin; place < end; ++place)
      *address_of(place) = sums[place - sums_begin] * T(synthesis.edge_factor(place, num_frames));
  }
  void clear(int64_t begin, int64_t end) const {
    for (int64_t place = std::max(begin, left); place < std::min(end, left + num_samples); ++place)
      *address_of(place) = T(0);
  }
};

}  // namespace specfast::engine
