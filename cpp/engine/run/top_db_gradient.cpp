// SPDX-License-Identifier: BSD-3-Clause
#include "engine/run/top_db_gradient.h"

#include <limits>

#include "engine/base/parallel.h"

namespace specfast::engine {
namespace {

// Statistics of one row of one signal, or of all rows in a scope.
template <typename T>
struct Summary {
  T max = -std::numeric_limits<T>::infinity();
  bool has_nan = false;
  int64_t num_maxima = 0;
  double clamped = 0;  // sum of the gradients that the floor stops
};

template <typename T>
class TopDbGradient {
 public:
  TopDbGradient(const Config& config, double range, const Job& job, int64_t num_rows,
                const specfast_gradient& gradient, int num_threads, T* levels)
      : range_(T(range)),
        job_(job),
        num_rows_(num_rows),
        gradient_(gradient),
        num_threads_(num_threads),
        levels_(levels),
        rows_(std::size_t(job.num_signals * num_rows)),
        scopes_(config.top_db_scope == TopDbScope::kBatch ? 1 : std::size_t(job.num_signals)) {}

  void run() {
    for_each_row([this](int64_t row, T* levels) { summarize(row, levels); });
    gather([](Summary<T>& scope, const Summary<T>& row) {
      scope.has_nan |= row.has_nan;
      scope.max = std::max(scope.max, row.max);
    });
    for_each_row([this](int64_t row, T* levels) { clamp(row, levels); });
    gather([](Summary<T>& scope, const Summary<T>& row) {
      scope.num_maxima += row.num_maxima;
      scope.clamped += row.clamped;
    });
    for_each_row([this](int64_t row, T* levels) { share(row, levels); });
  }

 private:
  template <typename Body>
  void for_each_row(const Body& body) const {
    constexpr int64_t kMinLevelsPerThread = 1 << 16;
    parallel_for(int64_t(rows_.size()), kMinLevelsPerThread / job_.num_frames + 1, num_threads_,
                 [&](int, int64_t begin, int64_t end) {
                   for (int64_t row = begin; row < end; ++row)
                     body(row, levels_ + row * job_.num_frames);
                 });
  }

  Summary<T>& scope_of(int64_t row) {
    return scopes_[scopes_.size() == 1 ? 0 : std::size_t(row / num_rows_)];
  }

  template <typename Join>
  void gather(const Join& join) {
    for (int64_t row = 0; row < int64_t(rows_.size()); ++row)
      join(scope_of(row), rows_[std::size_t(row)]);
  }

  T floor_of(const Summary<T>& scope) const {
    return scope.has_nan ? std::numeric_limits<T>::quiet_NaN() : scope.max - range_;
  }

  void summarize(int64_t row, const T* levels) {
    Summary<T>& summary = rows_[std::size_t(row)];
    for (int64_t f = 0; f < job_.num_frames; ++f) {
      summary.has_nan |= levels[f] != levels[f];
      summary.max = std::max(summary.max, levels[f]);
    }
  }

  const T* cotangent_of(int64_t row) const {
    return job_.signal_address(static_cast<const T*>(gradient_.cotangent), row / num_rows_,
                               gradient_.cotangent_batch_stride,
                               gradient_.cotangent_channel_stride) +
           row % num_rows_ * gradient_.cotangent_row_stride;
  }

  // Only counts: the levels are needed once more.
  void clamp(int64_t row, const T* levels) {
    Summary<T>& summary = rows_[std::size_t(row)];
    const Summary<T>& scope = scope_of(row);
    const T floor = floor_of(scope);
    const T* const cotangent = cotangent_of(row);
    for (int64_t f = 0; f < job_.num_frames; ++f) {
      summary.num_maxima += levels[f] == scope.max;
      if (levels[f] <= floor)
        summary.clamped += double(cotangent[f * gradient_.cotangent_frame_stride]);
    }
  }

  void share(int64_t row, T* levels) {
    const Summary<T>& scope = scope_of(row);
    const T floor = floor_of(scope);
    const T* const cotangent = cotangent_of(row);
    const T part = T(scope.clamped / double(scope.num_maxima));
    for (int64_t f = 0; f < job_.num_frames; ++f) {
      const T level = levels[f];
      T value = level > floor ? cotangent[f * gradient_.cotangent_frame_stride] : T(0);
      if (level == scope.max) value += part;
      levels[f] = floor == floor ? value : floor;
    }
  }

  T range_;
  const Job& job_;
  int64_t num_rows_;
  const specfast_gradient& gradient_;
  int num_threads_;
  T* levels_;
  std::vector<Summary<T>> rows_;  // [signal][row]
  std::vector<Summary<T>> scopes_;
};

}  // namespace

template <typename T>
void top_db_gradient(const Config& config, double range, const Job& job, int64_t num_rows,
                     const specfast_gradient& gradient, int num_threads, std::vector<T>& levels) {
  TopDbGradient<T>(config, range, job, num_rows, gradient, num_threads, levels.data()).run();
}

template void top_db_gradient(const Config&, double, const Job&, int64_t, const specfast_gradient&,
                              int, std::vector<float>&);
template void top_db_gradient(const Config&, double, const Job&, int64_t, const specfast_gradient&,
                              int, std::vector<double>&);

}  // namespace specfast::engine
