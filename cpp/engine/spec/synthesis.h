// SPDX-License-Identifier: BSD-3-Clause
// What makes a signal of its frames again, in double precision: the synthesis window, and how many
// samples frames reach.
//
// Frames y_t of a window w give the signal that fits them best,
//
//   x[p] = sum over t of w[p - t hop] y_t[p - t hop]  /  sum over t of w[p - t hop]^2
//
// (Griffin and Lim, IEEE TASSP 32, 1984). `p` counts from the first sample of the first frame.
// Where as many frames as possible reach p, the divisor depends on p modulo hop only, and is part
// of the synthesis window; in front of the first such place and behind the last one, samples are
// multiplied by an edge factor.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/spec/config.h"

namespace specfast::engine {

// Samples whose sum of squared windows is not larger than this part of the largest one are lost:
// they become 0. It is the tolerance of scipy.signal.check_NOLA.
constexpr double kLostPart = 1e-10;

class Synthesis {
 public:
  // `window` is that of the frames, scaled. Throws Error where samples are lost between frames
  // (the condition NOLA: the overlap of windows adds to nothing nowhere).
  Synthesis(const Config& config, const std::vector<double>& window);

  // [frame_length]: the window over the full sum of its squares.
  std::vector<double> window() const;

  // Returns how many hops begin with samples that earlier frames reach.
  int64_t overlap() const { return (frame_length_ - 1) / hop_; }
  // Returns the end of the last of num_frames >= 1 frames.
  int64_t end_of(int64_t num_frames) const { return (num_frames - 1) * hop_ + frame_length_; }
  // Returns where the places begin and end that num_frames frames reach in full, if they do.
  int64_t full_begin() const { return overlap() * hop_; }
  int64_t full_end(int64_t num_frames) const { return num_frames * hop_; }
  // Returns what the sum of windowed frames is multiplied by at a place outside of these; 0 where
  // the sample is lost. Costs as many steps as frames reach the place, at most overlap().
  double edge_factor(int64_t place, int64_t num_frames) const;
  bool is_lost(int64_t place, int64_t num_frames) const;

 private:
  double square(int64_t n) const { return window_[std::size_t(n)] * window_[std::size_t(n)]; }
  double sum_at(int64_t place, int64_t num_frames) const;

  int64_t frame_length_, hop_;
  std::vector<double> window_;
  std::vector<double> full_sum_;                      // [hop]
  std::vector<double> sums_to_front_, sums_to_back_;  // [overlap * hop]: of frames from the first
                                                      // on, and up to the last one
  double smallest_sum_;
};

// Returns the samples that so many frames stand for if nothing is known of the signal, or -1 where
// the padding in front depends on its length (SAME).
int64_t usual_num_samples(const Config& config, int64_t num_frames);
// Returns the largest number of samples that so many frames can stand for.
int64_t max_num_samples(const Config& config, int64_t num_frames);

}  // namespace specfast::engine
