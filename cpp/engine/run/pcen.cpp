// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/pcen.h"

#include <algorithm>

#include "engine/plan/dispatch.h"
#include "engine/spec/elementary.h"

namespace specfast::engine {
namespace {

template <typename T>
PcenPlan<T> pcen_plan(const Config& config) {
  return {T(config.pcen_smoothing),
          T(1 - config.pcen_smoothing),
          T(config.pcen_epsilon),
          config.pcen_gain,
          config.pcen_bias,
          config.pcen_power,
          power(config.pcen_bias, config.pcen_power)};
}

template <typename T>
class PcenPass final : public ScopePass<T> {
 public:
  PcenPass(const Plan& plan, const Job& job)
      : pcen_(pcen_plan<T>(plan.config())),
        kernels_(kernels_of<T>(kernels())),
        job_(job),
        num_rows_(num_static_rows(plan.config())),
        outputs_(std::size_t(job.num_signals * job.num_tiles)),
        smoothed_(outputs_.size() * std::size_t(num_rows_), T(1)) {}

  void observe(int64_t signal, int64_t tile, const TileOutput<T>& output, const TileExtrema<T>&,
               T*) noexcept override {
    outputs_[std::size_t(signal * job_.num_tiles + tile)] = output;
  }

  void finish_signal(int64_t signal) override {
    const int64_t first = signal * job_.num_tiles;
    for (int64_t tile = first; tile + 1 < first + job_.num_tiles; ++tile) {
      T* const smoothed = smoothed_.data() + tile * num_rows_;
      std::copy_n(smoothed, num_rows_, smoothed + num_rows_);
      const TileOutput<T>& output = outputs_[std::size_t(tile)];
      kernels_.advance_pcen(output.values, output.num_frames, num_rows_, output.frame_stride,
                            output.row_stride, pcen_, smoothed + num_rows_);
    }
  }

  void apply(int64_t signal, int64_t tile, const TileOutput<T>& output) override {
    // Nobody else goes on from here.
    T* const smoothed = smoothed_.data() + (signal * job_.num_tiles + tile) * num_rows_;
    kernels_.apply_pcen(output.values, output.num_frames, num_rows_, output.frame_stride,
                        output.row_stride, pcen_, smoothed);
  }

 private:
  const PcenPlan<T> pcen_;
  const PrecisionKernels<T>& kernels_;
  const Job& job_;
  int64_t num_rows_;
  std::vector<TileOutput<T>> outputs_;  // [signal][tile]
  std::vector<T> smoothed_;             // [signal][tile][row], before the first frame of the tile
};

template <typename T>
class PcenStream final : public ScopeStream<T> {
 public:
  PcenStream(const Plan& plan, const specfast_stream_config& config)
      : pcen_(pcen_plan<T>(plan.config())),
        apply_(kernels_of<T>(kernels()).apply_pcen),
        num_channels_(config.num_channels),
        num_rows_(num_static_rows(plan.config())),
        smoothed_(std::size_t(num_channels_ * num_rows_)) {}

  void reset() noexcept override { std::fill(smoothed_.begin(), smoothed_.end(), T(1)); }

  void advance(const StreamOutput<T>& output) noexcept override {
    for (int64_t channel = 0; channel < num_channels_; ++channel) {
      apply_(output.values + channel * output.channel_stride, output.num_frames, num_rows_,
             output.frame_stride, output.row_stride, pcen_, smoothed_.data() + channel * num_rows_);
    }
  }

  std::vector<T>& state() noexcept override { return smoothed_; }
  // A NaN in the signal stays in its bands, as in a call.
  bool is_sound(const std::byte*) const noexcept override { return true; }

 private:
  const PcenPlan<T> pcen_;
  decltype(PrecisionKernels<T>::apply_pcen) apply_;
  int64_t num_channels_, num_rows_;
  std::vector<T> smoothed_;  // [channel][row]
};

template <typename T>
class PcenOperation final : public ScopeOperation<T> {
 public:
  bool applies(const Config& config) const noexcept override { return config.pcen; }
  std::unique_ptr<ScopePass<T>> make_pass(const Plan& plan, const Job& job) const override {
    return std::make_unique<PcenPass<T>>(plan, job);
  }
  std::unique_ptr<ScopeStream<T>> make_stream(const Plan& plan,
                                              const specfast_stream_config& config) const override {
    return std::make_unique<PcenStream<T>>(plan, config);
  }
};

}  // namespace

template <typename T>
const ScopeOperation<T>& pcen() {
  static const PcenOperation<T> operation;
  return operation;
}

template const ScopeOperation<float>& pcen();
template const ScopeOperation<double>& pcen();

}  // namespace specfast::engine
