// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/deltas.h"

#include <algorithm>

#include "engine/base/error.h"

namespace specfast::engine {
namespace {

// The regression coefficients j / sum j^2, j from -window to window, and for a higher order their
// convolution with those of the order before: 2 * order * window + 1 of them.
std::vector<double> delta_coefficients(int64_t order, int64_t window) {
  std::vector<double> coefficients = {1};
  const double squares = double(window * (window + 1) * (2 * window + 1)) / 3;
  for (int64_t i = 0; i < order; ++i) {
    std::vector<double> next(coefficients.size() + std::size_t(2 * window), 0.0);
    for (std::size_t k = 0; k < coefficients.size(); ++k) {
      for (int64_t j = -window; j <= window; ++j)
        next[k + std::size_t(j + window)] += coefficients[k] * double(j) / squares;
    }
    coefficients = std::move(next);
  }
  return coefficients;
}

template <typename T>
class DeltaPass final : public ScopePass<T> {
 public:
  DeltaPass(const Plan& plan, const Job& job)
      : job_(job),
        lanes_(plan.precision<T>().wide().kernel->lanes),
        num_rows_(num_static_rows(plan.config())) {
    const Config& config = plan.config();
    for (int64_t order = 1; order <= config.delta_order; ++order)
      coefficients_.push_back(delta_coefficients(order, config.delta_window));
  }

  void observe(int64_t, int64_t, const TileOutput<T>&, const TileExtrema<T>&,
               T*) noexcept override {}

  void apply(int64_t signal, int64_t tile, const TileOutput<T>& output) override {
    for (std::size_t order = 0; order < coefficients_.size(); ++order) {
      for (int64_t row = 0; row < num_rows_; ++row)
        derive_row(signal, tile * lanes_, output, row, order);
    }
  }

 private:
  void derive_row(int64_t signal, int64_t first_frame, const TileOutput<T>& output, int64_t row,
                  std::size_t order) const {
    const std::vector<double>& coefficients = coefficients_[order];
    const int64_t reach = int64_t(coefficients.size()) / 2;
    const int64_t last = job_.valid_frames_of(signal) - 1;
    const T* const from = output.values + row * output.row_stride;
    T* const to = output.values + (int64_t(order + 1) * num_rows_ + row) * output.row_stride;
    for (int64_t f = 0; f < output.num_frames; ++f) {
      double sum = 0;
      for (int64_t j = -reach; j <= reach; ++j) {
        const int64_t frame = std::clamp<int64_t>(first_frame + f + j, 0, last) - first_frame;
        sum += coefficients[std::size_t(j + reach)] * double(from[frame * output.frame_stride]);
      }
      to[f * output.frame_stride] = T(sum);
    }
  }

  const Job& job_;
  int64_t lanes_, num_rows_;
  std::vector<std::vector<double>> coefficients_;  // of each order
};

template <typename T>
class DeltaOperation final : public ScopeOperation<T> {
 public:
  bool applies(const Config& config) const noexcept override { return config.delta_order > 0; }
  std::unique_ptr<ScopePass<T>> make_pass(const Plan& plan, const Job& job) const override {
    return std::make_unique<DeltaPass<T>>(plan, job);
  }
  void check_stream(const Config& config, const specfast_stream_config&) const override {
    throw Error(SPECFAST_E_INVALID_ARGUMENT,
                "delta_order must be 0 for a stream, which does not know the frames that come, "
                "received delta_order=" +
                    std::to_string(config.delta_order));
  }
  std::unique_ptr<ScopeStream<T>> make_stream(const Plan&,
                                              const specfast_stream_config&) const override {
    return nullptr;
  }
};

}  // namespace

template <typename T>
const ScopeOperation<T>& deltas() {
  static const DeltaOperation<T> operation;
  return operation;
}

template const ScopeOperation<float>& deltas();
template const ScopeOperation<double>& deltas();

}  // namespace specfast::engine
