// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/inverse_stream_sums.h"

#include <algorithm>
#include <cstring>

#include "engine/base/checked.h"
#include "engine/base/interrupt.h"
#include "engine/run/job.h"

namespace specfast::engine {

template <typename T>
InverseStreamSums<T>::InverseStreamSums(const InversePlan& plan, int64_t num_channels,
                                        int64_t num_samples)
    : InverseStream(plan, num_channels, num_samples),
      tables_(plan.precision<T>()),
      carried_(plan.carried_values<T>()),
      workspace_(plan.workspace_bytes(), 1),
      finished_hops_(reinterpret_cast<T*>(workspace_.of_thread(0) + plan.tile_bytes<T>())) {
  const int64_t total = checked_multiply(num_channels, carried_);
  checked_multiply(total, sizeof(T));
  carry_.assign(std::size_t(total), T(0));
  // The first touch of a page enters the kernel, which pushes must not do.
  std::memset(workspace_.of_thread(0), 0, plan.workspace_bytes());
}

template <typename T>
InverseSignal<T> InverseStreamSums<T>::signal_of(const specfast_spectra& spectra, int64_t channel,
                                                 int64_t num_frames, int64_t first,
                                                 int64_t count) const noexcept {
  T* samples = static_cast<T*>(spectra.signal);
  if (count > 0) samples += channel * spectra.signal_channel_stride;  // else it may be null
  return {plan_.synthesis(),           num_frames, left_ + first, count, samples,
          spectra.signal_sample_stride};
}

template <typename T>
bool InverseStreamSums<T>::add(const specfast_spectra& spectra, int64_t first,
                               int64_t count) noexcept {
  const int64_t lanes = tables_.wide().kernel->lanes;
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    const InverseSignal<T> signal =
        signal_of(spectra, channel, frames_ + spectra.num_frames, first, count);
    if (count > 0) signal.clear_front();
    for (int64_t done = 0; done < spectra.num_frames; done += lanes) {
      if (is_interrupted()) return false;
      run_tile(spectra, signal, channel, done, std::min(lanes, spectra.num_frames - done));
    }
  }
  return true;
}

template <typename T>
void InverseStreamSums<T>::run_tile(const specfast_spectra& spectra, const InverseSignal<T>& signal,
                                    int64_t channel, int64_t done, int64_t count) noexcept {
  const int64_t begin = (frames_ + done) * config_.hop, end = begin + count * config_.hop;
  const bool in_place = signal.takes_as_is(begin, end);
  const int64_t at = channel * spectra.channel_stride + done * spectra.frame_stride;
  InverseArgs<T> args{};
  args.real = static_cast<const T*>(spectra.real) + at;
  args.imag = static_cast<const T*>(spectra.imag) + at;
  args.frame_stride = spectra.frame_stride;
  args.bin_stride = spectra.bin_stride;
  args.num_frames = count;
  args.workspace = workspace_.of_thread(0);
  args.carry = carry_of(channel);
  args.hops = in_place ? signal.address_of(begin) : finished_hops_;
  const TileVariant<T>& variant = tables_.variant_for(count);
  variant.kernel->run_inverse(variant.tile, args);
  if (!in_place) signal.write(begin, end, finished_hops_);
}

template <typename T>
void InverseStreamSums<T>::finish(const specfast_spectra& spectra, int64_t first,
                                  int64_t count) noexcept {
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    const InverseSignal<T> signal = signal_of(spectra, channel, frames_, first, count);
    signal.write(signal.synthesis.full_end(frames_), signal.synthesis.end_of(frames_),
                 carry_of(channel));
    signal.clear_back();
  }
}

template <typename T>
void InverseStreamSums<T>::clear() noexcept {
  std::fill(carry_.begin(), carry_.end(), T(0));
}

template <typename T>
std::size_t InverseStreamSums<T>::value_bytes() const noexcept {
  return std::size_t(num_channels_ * reached_values()) * sizeof(T);
}

template <typename T>
void InverseStreamSums<T>::save_values(std::byte* bytes) const noexcept {
  const std::size_t each = std::size_t(reached_values()) * sizeof(T);
  for (int64_t channel = 0; each > 0 && channel < num_channels_; ++channel)
    std::memcpy(bytes + std::size_t(channel) * each, carry_.data() + channel * carried_, each);
}

template <typename T>
void InverseStreamSums<T>::load_values(const std::byte* bytes) noexcept {
  const std::size_t each = std::size_t(reached_values()) * sizeof(T);
  for (int64_t channel = 0; each > 0 && channel < num_channels_; ++channel)
    std::memcpy(carry_of(channel), bytes + std::size_t(channel) * each, each);
}

std::unique_ptr<InverseStream> make_inverse_stream(const InversePlan& plan, int64_t num_channels,
                                                   int64_t num_samples) {
  return with_precision(plan.config().precision, [&](auto zero) -> std::unique_ptr<InverseStream> {
    return std::make_unique<InverseStreamSums<decltype(zero)>>(plan, num_channels, num_samples);
  });
}

template class InverseStreamSums<float>;
template class InverseStreamSums<double>;

}  // namespace specfast::engine
