// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/normalization.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/plan/dispatch.h"
#include "engine/run/normalization_gradient.h"
#include "engine/run/statistics.h"

namespace specfast::engine {
namespace {

template <typename T>
class NormalizationPass final : public ScopePass<T> {
 public:
  NormalizationPass(const Plan& plan, const Job& job)
      : config_(plan.config()),
        kernels_(kernels_of<T>(kernels())),
        job_(job),
        lanes_(plan.precision<T>().wide().kernel->lanes),
        num_rows_(num_static_rows(plan.config())),
        moments_(std::size_t(job.num_signals * job.num_tiles * kMoments * num_rows_)),
        statistics_(std::size_t(job.num_signals * num_rows_)),
        shift_(statistics_.size()),
        factor_(shift_.size()) {}

  void observe(int64_t signal, int64_t tile, const TileOutput<T>& output, const TileExtrema<T>&,
               T* scratch) noexcept override {
    if (output.num_frames == 0) return;
    kernels_.row_moments(output.values, output.num_frames, num_rows_, output.frame_stride,
                         output.row_stride, scratch, moments_of(signal, tile));
  }

  void finish_signal(int64_t signal) override {
    Statistics* const rows = statistics_.data() + signal * num_rows_;
    const int64_t num_frames = job_.valid_frames_of(signal);
    for (int64_t tile = 0; tile * lanes_ < num_frames; ++tile) {
      const Portion portion(double(tile * lanes_),
                            double(std::min(lanes_, num_frames - tile * lanes_)));
      const RowMoments<T> moments = moments_of(signal, tile);
      for (int64_t row = 0; row < num_rows_; ++row) {
        const double sum = double(moments.sum[row]), mean = sum * portion.inverse_count;
        rows[row].add(portion, double(moments.first[row]) + mean,
                      double(moments.squares[row]) - sum * mean);
      }
    }
    for (int64_t row = 0; row < num_rows_; ++row) {
      const std::size_t place = std::size_t(signal * num_rows_ + row);
      shift_[place] = T(rows[row].mean);
      factor_[place] = T(1 / deviation_of(config_, rows[row], num_frames));
    }
  }

  void apply(int64_t signal, int64_t, const TileOutput<T>& output) override {
    const std::size_t place = std::size_t(signal * num_rows_);
    kernels_.scale_rows(output.values, output.num_frames, num_rows_, output.frame_stride,
                        output.row_stride, shift_.data() + place, factor_.data() + place);
  }
  bool applies_to_runs() const noexcept override { return true; }

 private:
  static constexpr int64_t kMoments = 3;

  RowMoments<T> moments_of(int64_t signal, int64_t tile) {
    T* const first = moments_.data() + (signal * job_.num_tiles + tile) * kMoments * num_rows_;
    return {first, first + num_rows_, first + 2 * num_rows_};
  }

  const Config& config_;
  const PrecisionKernels<T>& kernels_;
  const Job& job_;
  int64_t lanes_, num_rows_;
  std::vector<T> moments_;              // [signal][tile][first, sum, squares][row]
  std::vector<Statistics> statistics_;  // [signal][row]
  std::vector<T> shift_, factor_;       // [signal][row]
};

template <typename T>
class NormalizationOperation final : public ScopeOperation<T> {
 public:
  bool applies(const Config& config) const noexcept override {
    return config.normalization != Normalization::kNone;
  }
  std::unique_ptr<ScopePass<T>> make_pass(const Plan& plan, const Job& job) const override {
    return std::make_unique<NormalizationPass<T>>(plan, job);
  }
  void check_stream(const Config& config, const specfast_stream_config&) const override {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "normalization must be SPECFAST_NORMALIZATION_NONE for a stream, which does not "
                "know the mean and the deviation of the whole signal, received normalization=" +
                    std::to_string(int32_t(config.normalization)) +
                    "; where they are known, use row_gain and row_offset");
  }
  std::unique_ptr<ScopeStream<T>> make_stream(const Plan&,
                                              const specfast_stream_config&) const override {
    return nullptr;
  }
  void pull_back(const Plan& plan, const Job& job, const specfast_gradient& gradient,
                 int num_threads, std::vector<T>& output) const override {
    normalization_gradient(plan.config(), job, plan.num_rows(), gradient, num_threads, output);
  }
};

}  // namespace

template <typename T>
const ScopeOperation<T>& normalization() {
  static const NormalizationOperation<T> operation;
  return operation;
}

template const ScopeOperation<float>& normalization();
template const ScopeOperation<double>& normalization();

}  // namespace specfast::engine
