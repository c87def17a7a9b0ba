// SPDX-License-Identifier: BSD-3-Clause
// The frames of a signal are cut into segments. Before its own frames a segment computes those
// that overlap with them, so that each sample is the sum of its frames in their order, whichever
// thread computes it.
#include "engine/run/inverse.h"

#include <algorithm>
#include <string>

#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/run/inverse_checks.h"
#include "engine/run/inverse_output.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"

namespace specfast::engine {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
}

// Checks the arrays of a call. Returns the number of signals.
int64_t check_spectra(const Config& config, const specfast_spectra& spectra) {
  const int64_t num_signals = checked_signals(config, spectra);
  if (num_signals == 0 || spectra.num_samples == 0) return 0;
  check_samples(
      config, "signal", spectra.signal, spectra,
      {spectra.signal_batch_stride, spectra.signal_channel_stride, spectra.signal_sample_stride});
  check_bins(config, "real", spectra.real, spectra);
  check_bins(config, "imag", spectra.imag, spectra);
  return num_signals;
}

template <typename T>
class InverseRun {
 public:
  InverseRun(const InversePlan& plan, Workspace& workspace, const specfast_spectra& spectra,
             int64_t num_signals)
      : plan_(plan),
        tables_(plan.precision<T>()),
        workspace_(workspace),
        spectra_(spectra),
        num_signals_(num_signals),
        hop_(plan.config().hop),
        lanes_(tables_.wide().kernel->lanes),
        overlap_(plan.synthesis().overlap()),
        tile_bytes_(plan.tile_bytes<T>()),
        segment_frames_(frames_of_segment()),
        num_segments_(ceil_div(spectra.num_frames, segment_frames_)) {}

  void run() {
    parallel_for(num_signals_ * num_segments_, 1, workspace_.team(),
                 [this](int thread, int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     run_segment(thread, i / num_segments_, i % num_segments_);
                 });
  }

 private:
  // Segments are long enough that the frames before them cost little, and short enough that every
  // thread gets some and a call can be interrupted.
  int64_t frames_of_segment() const {
    constexpr int64_t kMostWork = 1 << 21, kLeastWork = 1 << 17;
    constexpr int64_t kSegmentsPerThread = 4, kFramesOfOverlap = 8;
    const int64_t work = tables_.frame_work();
    const int64_t wanted = ceil_div(kSegmentsPerThread * workspace_.num_threads(), num_signals_);
    const int64_t fair = ceil_div(spectra_.num_frames, wanted);
    const int64_t least = std::max(kFramesOfOverlap * overlap_, kLeastWork / work + 1);
    return round_up(std::max(std::min(fair, kMostWork / work + 1), least), lanes_);
  }

  void run_segment(int thread, int64_t index, int64_t segment) {
    const InverseSignal<T> signal = signal_of(index);
    const int64_t own_begin = segment * segment_frames_;
    const int64_t end = std::min(own_begin + segment_frames_, spectra_.num_frames);
    if (segment == 0) signal.clear_front();
    T* const finished = reinterpret_cast<T*>(workspace_.of_thread(thread) + tile_bytes_);
    const int64_t begin = std::max<int64_t>(own_begin - overlap_, 0);
    InverseArgs<T> args = args_of(index, begin);
    args.workspace = workspace_.of_thread(thread);
    args.carry = finished + plan_.finished_values<T>();
    std::fill_n(args.carry, plan_.carried_values<T>(), T(0));
    for (int64_t frame = begin; frame < end;) {
      // The frames before the segment are a tile of their own.
      const int64_t behind = frame < own_begin ? own_begin : end;
      const int64_t count = std::min(lanes_, behind - frame);
      run_tile(signal, frame, count, frame >= own_begin, finished, args);
      frame += count;
    }
    if (end < spectra_.num_frames) return;
    const int64_t behind = signal.synthesis.full_end(end);
    signal.write(behind, signal.synthesis.end_of(end), args.carry);
    signal.clear_back();
  }

  void run_tile(const InverseSignal<T>& signal, int64_t frame, int64_t count, bool is_own,
                T* finished, InverseArgs<T>& args) const {
    const int64_t begin = frame * hop_, end = begin + count * hop_;
    const bool in_place = is_own && signal.takes_as_is(begin, end);
    const TileVariant<T>& variant = tables_.variant_for(count);
    args.num_frames = count;
    args.hops = in_place ? signal.address_of(begin) : finished;
    locate_next(frame + count, args);
    variant.kernel->run_inverse(variant.tile, args);
    args.real += count * args.frame_stride;
    args.imag += count * args.frame_stride;
    if (is_own && !in_place) signal.write(begin, end, finished);
  }

  // Names the spectra from frame `next` on as the next input, where frames follow each other.
  void locate_next(int64_t next, InverseArgs<T>& args) const {
    const int64_t frame_values = 2 * tables_.wide().tile.num_bins;
    const bool by_frame = args.frame_stride >= frame_values && args.frame_stride < 2 * frame_values;
    const int64_t count = std::min(lanes_, spectra_.num_frames - next);
    args.next_input = args.real + args.num_frames * args.frame_stride;
    args.next_input_bytes = by_frame ? count * args.frame_stride * int64_t(sizeof(T)) : 0;
  }

  template <typename Address>
  Address* address_of(Address* base, int64_t index, int64_t batch_stride,
                      int64_t channel_stride) const {
    return base + index / spectra_.num_channels * batch_stride +
           index % spectra_.num_channels * channel_stride;
  }

  InverseSignal<T> signal_of(int64_t index) const {
    T* const samples = address_of(static_cast<T*>(spectra_.signal), index,
                                  spectra_.signal_batch_stride, spectra_.signal_channel_stride);
    return {plan_.synthesis(),
            spectra_.num_frames,
            left_padding(plan_.config(), spectra_.num_samples),
            spectra_.num_samples,
            samples,
            spectra_.signal_sample_stride};
  }

  InverseArgs<T> args_of(int64_t index, int64_t frame) const {
    InverseArgs<T> args{};
    args.real = address_of(static_cast<const T*>(spectra_.real), index, spectra_.batch_stride,
                           spectra_.channel_stride) +
                frame * spectra_.frame_stride;
    args.imag = address_of(static_cast<const T*>(spectra_.imag), index, spectra_.batch_stride,
                           spectra_.channel_stride) +
                frame * spectra_.frame_stride;
    args.frame_stride = spectra_.frame_stride;
    args.bin_stride = spectra_.bin_stride;
    return args;
  }

  const InversePlan& plan_;
  const PrecisionPlan<T>& tables_;
  Workspace& workspace_;
  const specfast_spectra& spectra_;
  const int64_t num_signals_, hop_, lanes_, overlap_;
  const std::size_t tile_bytes_;
  const int64_t segment_frames_, num_segments_;
};

}  // namespace

bool is_length_of(const Config& config, int64_t num_frames, int64_t num_samples) {
  return num_samples <= max_num_samples(config, num_frames) &&
         (config.padding != Padding::kSame ||
          engine::num_frames(config, num_samples) == num_frames);
}

void check_num_samples(const Config& config, int64_t num_frames, int64_t num_samples) {
  require_count("num_frames", num_frames);
  require_count("num_samples", num_samples);
  const int64_t most = max_num_samples(config, num_frames);
  const std::string received = ", received num_samples=" + std::to_string(num_samples) + " for " +
                               std::to_string(num_frames) + " frames";
  if (is_length_of(config, num_frames, num_samples)) return;
  if (num_samples > most) {
    refuse("num_samples must be at most " + std::to_string(most) +
           ", the samples that the frames reach" + received);
  }
  refuse("num_samples must be a length of which padding same makes so many frames, between " +
         std::to_string((num_frames - 1) * config.hop + 1) + " and " + std::to_string(most) +
         received);
}

LostSamples lost_samples(const InversePlan& plan, int64_t num_frames, int64_t num_samples) {
  check_num_samples(plan.config(), num_frames, num_samples);
  const int64_t left = left_padding(plan.config(), num_samples);
  const auto is_lost = [&](int64_t sample) {
    return plan.synthesis().is_lost(sample + left, num_frames);
  };
  LostSamples lost{0, 0};
  if (num_frames == 0) return lost;
  while (lost.at_begin < num_samples && is_lost(lost.at_begin)) ++lost.at_begin;
  while (lost.at_end < num_samples - lost.at_begin && is_lost(num_samples - 1 - lost.at_end))
    ++lost.at_end;
  return lost;
}

void invert(const InversePlan& plan, Workspace& workspace, const specfast_spectra& spectra) {
  if (!workspace.fits(plan.workspace_bytes())) {
    refuse("workspace is too small for this inverse: create one for it");
  }
  const int64_t num_signals = check_spectra(plan.config(), spectra);
  if (num_signals == 0) return;
  with_precision(plan.config().precision, [&](auto zero) {
    InverseRun<decltype(zero)>(plan, workspace, spectra, num_signals).run();
  });
}

}  // namespace specfast::engine
