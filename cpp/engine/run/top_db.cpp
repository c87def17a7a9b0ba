// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/top_db.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "engine/base/error.h"
#include "engine/run/top_db_gradient.h"

namespace specfast::engine {
namespace {

template <typename T>
class TopDbPass final : public ScopePass<T> {
 public:
  TopDbPass(const Plan& plan, const Job& job)
      : config_(plan.config()),
        clamp_(plan.precision<T>().wide().kernel->clamp),
        job_(job),
        range_(T(plan.precision<T>().clamp_range())),
        is_common_(config_.top_db_scope == TopDbScope::kBatch),
        extrema_(std::size_t(job.num_signals * job.num_tiles)) {}

  void observe(int64_t signal, int64_t tile, const TileOutput<T>&, const TileExtrema<T>& extrema,
               T*) noexcept override {
    extrema_[std::size_t(signal * job_.num_tiles + tile)] = extrema;
  }

  void finish() override {
    for (int64_t signal = 0; signal < (is_common_ ? 1 : job_.num_signals); ++signal)
      floors_.push_back(floor_of(signal, is_common_ ? job_.num_signals : signal + 1));
  }

  void apply(int64_t signal, int64_t tile, const TileOutput<T>& output) override {
    const T floor = floors_[std::size_t(is_common_ ? 0 : signal)];
    // Nothing changes then; never so for a NaN.
    if (extrema_[std::size_t(signal * job_.num_tiles + tile)].min >= floor) return;
    clamp_(output.values, output.num_frames, output.num_rows, output.frame_stride,
           output.row_stride, floor);
  }

 private:
  // Returns top_db below the maximum of signals [begin, end); NaN if one of them holds a NaN.
  T floor_of(int64_t begin, int64_t end) const {
    T max = -std::numeric_limits<T>::infinity();
    for (int64_t i = begin * job_.num_tiles; i < end * job_.num_tiles; ++i) {
      const TileExtrema<T>& tile = extrema_[std::size_t(i)];
      if (tile.has_nan) return std::numeric_limits<T>::quiet_NaN();
      max = std::max(max, tile.max);
    }
    return max - range_;
  }

  const Config& config_;
  decltype(TileKernel<T>::clamp) clamp_;
  const Job& job_;
  T range_;
  bool is_common_;                       // one floor for all signals
  std::vector<TileExtrema<T>> extrema_;  // [signal][tile]
  std::vector<T> floors_;
};

template <typename T>
class TopDbStream final : public ScopeStream<T> {
 public:
  TopDbStream(const Plan& plan, const specfast_stream_config& config)
      : clamp_(plan.precision<T>().narrow().kernel->clamp),
        num_channels_(config.num_channels),
        range_(T(plan.precision<T>().clamp_range())),
        fixed_floor_(T(plan.precision<T>().scaled_level(config.max_db)) - range_) {
    if (config.max_rule != SPECFAST_MAX_RUNNING) return;
    const bool is_common = plan.config().top_db_scope == TopDbScope::kBatch;
    maxima_.resize(std::size_t(is_common ? 1 : num_channels_));
  }

  void reset() noexcept override {
    std::fill(maxima_.begin(), maxima_.end(), -std::numeric_limits<T>::infinity());
  }

  void advance(const StreamOutput<T>& output) noexcept override {
    if (maxima_.empty()) {
      for (int64_t channel = 0; channel < num_channels_; ++channel)
        clamp(output, channel, 0, output.num_frames, fixed_floor_);
      return;
    }
    // Frame by frame, so that the result does not depend on how the signal was cut.
    for (int64_t frame = 0; frame < output.num_frames; ++frame) {
      for (int64_t channel = 0; channel < num_channels_; ++channel)
        raise_maximum(place(output, channel, frame), output, maximum_of(channel));
      for (int64_t channel = 0; channel < num_channels_; ++channel)
        clamp(output, channel, frame, 1, maximum_of(channel) - range_);
    }
  }

  std::vector<T>& state() noexcept override { return maxima_; }

  bool is_sound(const std::byte* state) const noexcept override {
    for (std::size_t i = 0; i < maxima_.size(); ++i) {
      T maximum;
      std::memcpy(&maximum, state + i * sizeof(T), sizeof(T));
      if (!(maximum < std::numeric_limits<T>::infinity())) return false;
    }
    return true;
  }

 private:
  T& maximum_of(int64_t channel) noexcept {
    return maxima_[maxima_.size() == 1 ? 0 : std::size_t(channel)];
  }

  static T* place(const StreamOutput<T>& output, int64_t channel, int64_t frame) noexcept {
    return output.values + channel * output.channel_stride + frame * output.frame_stride;
  }

  // Neither NaN nor infinity counts: one bad sample must not silence a stream for ever.
  void raise_maximum(const T* value, const StreamOutput<T>& output, T& maximum) const noexcept {
    for (int64_t row = 0; row < output.num_rows; ++row, value += output.row_stride)
      if (*value > maximum && *value < std::numeric_limits<T>::infinity()) maximum = *value;
  }

  void clamp(const StreamOutput<T>& output, int64_t channel, int64_t frame, int64_t num_frames,
             T floor) const noexcept {
    clamp_(place(output, channel, frame), num_frames, output.num_rows, output.frame_stride,
           output.row_stride, floor);
  }

  decltype(TileKernel<T>::clamp) clamp_;
  int64_t num_channels_;
  T range_, fixed_floor_;
  std::vector<T> maxima_;  // so far, of all channels or of each; empty with a fixed maximum
};

// Checks that the stream says what stands in for the maximum of the whole signal.
void check_maximum(const specfast_stream_config& stream) {
  const auto refuse = [](const std::string& message) {
    throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
  };
  if (stream.max_rule == SPECFAST_MAX_NONE) {
    refuse(
        "max_rule must be SPECFAST_MAX_FIXED with max_db, or SPECFAST_MAX_RUNNING, for a plan with "
        "top_db: the clamp needs the maximum of the whole signal, which a stream does not know "
        "(or make the plan with SPECFAST_TOP_DB_NONE), received max_rule=0");
  }
  if (stream.max_rule == SPECFAST_MAX_FIXED && !(std::abs(stream.max_db) <= 1e30)) {
    refuse("max_db must be between -1e30 and 1e30, received max_db=" +
           std::to_string(stream.max_db));
  }
}

template <typename T>
class TopDb final : public ScopeOperation<T> {
 public:
  bool applies(const Config& config) const noexcept override {
    return config.top_db_scope != TopDbScope::kNone;
  }
  std::unique_ptr<ScopePass<T>> make_pass(const Plan& plan, const Job& job) const override {
    return std::make_unique<TopDbPass<T>>(plan, job);
  }
  void check_stream(const Config&, const specfast_stream_config& stream) const override {
    check_maximum(stream);
  }
  std::unique_ptr<ScopeStream<T>> make_stream(const Plan& plan,
                                              const specfast_stream_config& config) const override {
    return std::make_unique<TopDbStream<T>>(plan, config);
  }
  void pull_back(const Plan& plan, const Job& job, const specfast_gradient& gradient,
                 int num_threads, std::vector<T>& output) const override {
    top_db_gradient(plan.config(), plan.precision<T>().clamp_range(), job, plan.num_rows(),
                    gradient, num_threads, output);
  }
};

}  // namespace

template <typename T>
const ScopeOperation<T>& top_db() {
  static const TopDb<T> operation;
  return operation;
}

template const ScopeOperation<float>& top_db();
template const ScopeOperation<double>& top_db();

}  // namespace specfast::engine
