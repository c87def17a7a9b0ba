// SPDX-License-Identifier: BSD-3-Clause
// The sums of a stream of an inverse, and the tiles that add to them.
#pragma once

#include <memory>
#include <vector>

#include "engine/plan/workspace.h"
#include "engine/run/inverse_output.h"
#include "engine/run/inverse_stream.h"

namespace specfast::engine {

template <typename T>
class InverseStreamSums final : public InverseStream {
 public:
  InverseStreamSums(const InversePlan& plan, int64_t num_channels, int64_t num_samples);

 private:
  bool add(const specfast_spectra& spectra) noexcept override;
  void finish(const specfast_spectra& spectra, int64_t count) noexcept override;
  void clear() noexcept override;
  std::size_t value_bytes(int64_t num_frames) const noexcept override;
  void save_values(std::byte* bytes) const noexcept override;
  void load_values(const std::byte* bytes) noexcept override;

  // Adds frames [done, done + count) of a push to a channel. Its complete samples go to `signal`.
  void run_tile(const specfast_spectra& spectra, const InverseSignal<T>& signal, int64_t channel,
                int64_t done, int64_t count) noexcept;
  // Does the same where complete samples wait until the signal has them for sure.
  void run_waiting_tile(const specfast_spectra& spectra, int64_t channel, int64_t done,
                        int64_t count) noexcept;
  T* samples_of(const specfast_spectra& spectra, int64_t channel) const noexcept;
  // `count` samples from number `first` on, after so many frames.
  InverseSignal<T> signal_of(T* samples, int64_t stride, int64_t num_frames, int64_t first,
                             int64_t count) const noexcept {
    return {plan_.synthesis(), num_frames, left_ + first, count, samples, stride};
  }
  // Calls copy(values, num_bytes) for all that a state holds, in its order.
  template <typename Sums, typename Copy>
  static void for_each_saved_run(Sums& sums, const Copy& copy) noexcept;
  T* carry_of(int64_t channel) noexcept { return carry_.data() + channel * carried_; }
  T* waiting_of(int64_t channel) noexcept { return waiting_.data() + channel * waiting_room_; }
  const T* carry_of(int64_t channel) const noexcept { return carry_.data() + channel * carried_; }
  const T* waiting_of(int64_t channel) const noexcept {
    return waiting_.data() + channel * waiting_room_;
  }
  // Returns how many of the carried values of a channel frames have reached.
  int64_t reached_values() const noexcept { return config_.frame_length - config_.hop; }

  const PrecisionPlan<T>& tables_;
  const int64_t carried_;       // values of a channel
  const int64_t waiting_room_;  // samples of a channel; 0 where none ever waits
  Workspace workspace_;
  T* finished_hops_;
  std::vector<T> carry_;    // [channel][carried_]
  std::vector<T> waiting_;  // [channel][waiting_room_]
};

std::unique_ptr<InverseStream> make_inverse_stream(const InversePlan& plan, int64_t num_channels,
                                                   int64_t num_samples);

extern template class InverseStreamSums<float>;
extern template class InverseStreamSums<double>;

}  // namespace specfast::engine
