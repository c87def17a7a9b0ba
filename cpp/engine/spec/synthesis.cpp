// SPDX-License-Identifier: BSD-3-Clause
#include "engine/spec/synthesis.h"

#include <algorithm>
#include <limits>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

// Throws unless every sample modulo hop has a sum of squares. `sums` may be shorter than a hop.
void check_overlap(const Config& config, const std::vector<double>& sums, double smallest) {
  const int64_t hop = config.hop;
  int64_t first = -1, count = hop - int64_t(sums.size());
  for (int64_t r = int64_t(sums.size()); r-- > 0;) {
    if (sums[std::size_t(r)] > smallest) continue;
    first = r;
    ++count;
  }
  if (count == 0) return;
  if (first < 0) first = int64_t(sums.size());
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              "window, frame_length and hop must give every sample a frame in which the window is "
              "not 0 (NOLA): of every hop=" +
                  std::to_string(hop) + " samples, " + std::to_string(count) +
                  " would be lost, the first being number " + std::to_string(first) +
                  " from the beginning of a frame, received frame_length=" +
                  std::to_string(config.frame_length) + ", hop=" + std::to_string(hop));
}

}  // namespace

Synthesis::Synthesis(const Config& config, const std::vector<double>& window)
    : frame_length_(config.frame_length), hop_(config.hop), window_(window) {
  // A frame longer than its transform (an odd fft_length in Keras' modes) wraps around.
  if (frame_length_ > config.dft_length && window_.front() * window_.back() != 0) {
    throw Error(
        SPECFAST_E_INVALID_ARGUMENT,
        "window must be 0 at its first or its last sample where frame_length=" +
            std::to_string(frame_length_) +
            " is one more than the points of the transform: both samples fall onto one, and "
            "cannot be told apart");
  }
  full_sum_.assign(std::size_t(std::min(hop_, frame_length_)), 0);
  const std::size_t edge = std::size_t(overlap() * hop_);
  sums_to_front_.assign(edge, 0);
  sums_to_back_.assign(edge, 0);
  for (int64_t n = 0; n < frame_length_; ++n) {
    const std::size_t place = std::size_t(n);
    full_sum_[std::size_t(n % hop_)] += square(n);
    if (place < edge) sums_to_front_[place] = full_sum_[std::size_t(n % hop_)];
  }
  // The last frame leaves its samples hop .. frame_length - 1 behind the places of full sums.
  for (int64_t n = frame_length_ - 1; n >= hop_; --n) {
    const std::size_t place = std::size_t(n - hop_);
    sums_to_back_[place] =
        square(n) + (n + hop_ < frame_length_ ? sums_to_back_[place + std::size_t(hop_)] : 0);
  }
  const double largest = *std::max_element(full_sum_.begin(), full_sum_.end());
  smallest_sum_ = kLostPart * largest;
  if (!(largest <= std::numeric_limits<double>::max())) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "window must have finite values whose squares have a finite sum");
  }
  check_overlap(config, full_sum_, smallest_sum_);
}

std::vector<double> Synthesis::window() const {
  std::vector<double> window = window_;
  for (std::size_t n = 0; n < window.size(); ++n) window[n] /= full_sum_[n % std::size_t(hop_)];
  return window;
}

double Synthesis::sum_at(int64_t place, int64_t num_frames) const {
  if (place < 0 || place >= end_of(num_frames)) return 0;
  const bool in_front = place < full_begin(), behind = place >= full_end(num_frames);
  if (in_front && !behind) return sums_to_front_[std::size_t(place)];
  if (behind && !in_front) return sums_to_back_[std::size_t(place - full_end(num_frames))];
  if (!in_front) return full_sum_[std::size_t(place % hop_)];
  // Fewer frames than overlap: they all reach this place, but not from their first sample on.
  double sum = 0;
  const int64_t last_frame = std::min(place / hop_, num_frames - 1);
  for (int64_t frame = last_frame; frame >= 0; --frame) {
    const int64_t n = place - frame * hop_;
    if (n >= frame_length_) break;
    sum += square(n);
  }
  return sum;
}

double Synthesis::edge_factor(int64_t place, int64_t num_frames) const {
  const double sum = sum_at(place, num_frames);
  return sum > smallest_sum_ ? full_sum_[std::size_t(place % hop_)] / sum : 0;
}

bool Synthesis::is_lost(int64_t place, int64_t num_frames) const {
  return !(sum_at(place, num_frames) > smallest_sum_);
}

int64_t usual_num_samples(const Config& config, int64_t num_frames) {
  if (num_frames <= 0) return 0;
  const int64_t hops = checked_multiply(num_frames, config.hop);
  const int64_t spans = checked_add(hops - config.hop, config.frame_span);
  switch (config.padding) {
    case Padding::kValid:
      return spans;
    case Padding::kSides:
      return std::max<int64_t>(spans - 2 * config.pad_length, 0);
    case Padding::kCenter:
      return std::max<int64_t>(spans - config.fft_length / 2 * 2, 0);
    case Padding::kSame:
      return left_padding_varies(config) ? -1 : hops;
    default:
      return hops;
  }
}

int64_t max_num_samples(const Config& config, int64_t num_frames) {
  if (num_frames <= 0) return 0;
  const int64_t hops = checked_multiply(num_frames, config.hop);
  if (config.padding == Padding::kSame) return hops;
  const int64_t end = checked_add(hops - config.hop, config.frame_length);
  return std::max(usual_num_samples(config, num_frames), end - left_padding(config, hops));
}

}  // namespace specfast::engine
