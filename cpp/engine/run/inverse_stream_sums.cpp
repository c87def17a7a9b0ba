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
      waiting_room_(most_waiting() > 0 ? most_waiting() + plan.finished_values<T>() : 0),
      workspace_(plan.workspace_bytes(), 1),
      finished_hops_(reinterpret_cast<T*>(workspace_.of_thread(0) + plan.tile_bytes<T>())) {
  const int64_t total = checked_multiply(num_channels, carried_);
  checked_multiply(total, sizeof(T));
  carry_.assign(std::size_t(total), T(0));
  const int64_t waiting = checked_multiply(num_channels, waiting_room_);
  checked_multiply(waiting, sizeof(T));
  waiting_.assign(std::size_t(waiting), T(0));
  // The first touch of a page enters the kernel, which pushes must not do.
  std::memset(workspace_.of_thread(0), 0, plan.workspace_bytes());
}

template <typename T>
T* InverseStreamSums<T>::samples_of(const specfast_spectra& spectra,
                                    int64_t channel) const noexcept {
  T* const samples = static_cast<T*>(spectra.signal);
  return samples ? samples + channel * spectra.signal_channel_stride : nullptr;
}

template <typename T>
bool InverseStreamSums<T>::add(const specfast_spectra& spectra) noexcept {
  const int64_t lanes = tables_.wide().kernel->lanes;
  const int64_t end = frames_ + spectra.num_frames;
  const int64_t first = complete_samples(frames_), count = complete_samples(end) - first;
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    const InverseSignal<T> signal =
        signal_of(samples_of(spectra, channel), spectra.signal_sample_stride, end, first, count);
    if (waiting_room_ == 0) signal.clear_front();
    for (int64_t done = 0; done < spectra.num_frames; done += lanes) {
      if (is_interrupted()) return false;
      const int64_t num_frames = std::min(lanes, spectra.num_frames - done);
      if (waiting_room_ > 0) {
        run_waiting_tile(spectra, channel, done, num_frames);
      } else {
        run_tile(spectra, signal, channel, done, num_frames);
      }
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
void InverseStreamSums<T>::run_waiting_tile(const specfast_spectra& spectra, int64_t channel,
                                            int64_t done, int64_t count) noexcept {
  const int64_t before = frames_ + done, after = before + count;
  const int64_t first = complete_samples(before), waiting = waiting_samples(before);
  T* const samples = waiting_of(channel);
  run_tile(spectra, signal_of(samples + waiting, 1, after, first, complete_samples(after) - first),
           channel, done, count);
  const int64_t given = given_samples(after) - given_samples(before);
  const int64_t at = given_samples(before) - given_samples(frames_);
  const int64_t stride = spectra.signal_sample_stride;
  T* const to = samples_of(spectra, channel);
  for (int64_t i = 0; i < given; ++i) to[(at + i) * stride] = samples[i];
  const std::size_t left = std::size_t(waiting_samples(after));
  if (given > 0 && left > 0) std::memmove(samples, samples + given, left * sizeof(T));
}

template <typename T>
void InverseStreamSums<T>::finish(const specfast_spectra& spectra, int64_t count) noexcept {
  const int64_t waiting = std::min(waiting_samples(frames_), count);
  const int64_t stride = spectra.signal_sample_stride;
  for (int64_t channel = 0; channel < num_channels_; ++channel) {
    T* const to = samples_of(spectra, channel);
    for (int64_t i = 0; i < waiting; ++i) to[i * stride] = waiting_of(channel)[i];
    const InverseSignal<T> signal = signal_of(to, stride, frames_, given_samples(frames_), count);
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
std::size_t InverseStreamSums<T>::value_bytes(int64_t num_frames) const noexcept {
  const int64_t values = reached_values() + waiting_samples(num_frames);
  return std::size_t(num_channels_ * values) * sizeof(T);
}

template <typename T>
template <typename Sums, typename Copy>
void InverseStreamSums<T>::for_each_saved_run(Sums& sums, const Copy& copy) noexcept {
  const std::size_t reached = std::size_t(sums.reached_values()) * sizeof(T);
  const std::size_t waiting = std::size_t(sums.waiting_samples(sums.frames_)) * sizeof(T);
  for (int64_t channel = 0; channel < sums.num_channels_; ++channel) {
    if (reached > 0) copy(sums.carry_of(channel), reached);
    if (waiting > 0) copy(sums.waiting_of(channel), waiting);
  }
}

template <typename T>
void InverseStreamSums<T>::save_values(std::byte* bytes) const noexcept {
  for_each_saved_run(*this, [&bytes](const T* values, std::size_t num_bytes) {
    std::memcpy(bytes, values, num_bytes);
    bytes += num_bytes;
  });
}

template <typename T>
void InverseStreamSums<T>::load_values(const std::byte* bytes) noexcept {
  for_each_saved_run(*this, [&bytes](T* values, std::size_t num_bytes) {
    std::memcpy(values, bytes, num_bytes);
    bytes += num_bytes;
  });
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
