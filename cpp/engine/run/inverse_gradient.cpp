// SPDX-License-Identifier: BSD-3-Clause
// The gradient of an inverse is a forward transform with the synthesis window, of the gradient of
// the signal with its padding. It counts bins 0 and N/2 as often as all others, and does not know
// where phases begin; both are mended while its result is copied to the caller.
#include "engine/run/inverse_gradient.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/run/batch.h"
#include "engine/run/inverse_checks.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"
#include "engine/spec/twiddle.h"

namespace specfast::engine {
namespace {

// Returns the number of signals; 0 where there is nothing to compute.
int64_t check_gradient(const Config& config, const specfast_inverse_gradient& gradient) {
  const int64_t num_signals = checked_signals(config, gradient);
  if (num_signals == 0 || gradient.num_frames == 0) return 0;
  check_bins(config, "real", gradient.real, gradient);
  check_bins(config, "imag", gradient.imag, gradient);
  if (gradient.num_samples == 0) return num_signals;
  check_samples(config, "cotangent", gradient.cotangent, gradient,
                {gradient.cotangent_batch_stride, gradient.cotangent_channel_stride,
                 gradient.cotangent_sample_stride});
  return num_signals;
}

template <typename T>
class InversePullBack {
 public:
  InversePullBack(const InversePlan& plan, int num_threads,
                  const specfast_inverse_gradient& gradient)
      : plan_(plan),
        gradient_(gradient),
        workspace_(plan.adjoint(), num_threads),
        num_bins_(plan.config().fft_length / 2 + 1),
        num_places_(plan.synthesis().end_of(gradient.num_frames)),
        padded_(num_places_),
        rows_(checked_multiply(gradient.num_frames, 2 * num_bins_)) {
    const int64_t points = plan.config().dft_length;
    for (int64_t bin = 0; bin < num_bins_; ++bin) {
      const bool is_own_image = bin == 0 || 2 * bin == points;
      const Turn phase = turn(bin * plan.phase_origin() % points, points);
      const double weight = is_own_image ? 0.5 : 1;
      factors_.push_back({T(weight * phase.cosine), T(weight * phase.sine), is_own_image});
    }
  }

  void run(int64_t num_signals) {
    for (int64_t signal = 0; signal < num_signals; ++signal) {
      pad(signal);
      transform();
      store(signal);
    }
  }

 private:
  // What a bin is multiplied by, and whether its imaginary part has no meaning.
  struct Factor {
    T cosine, sine;
    bool is_real;
  };

  int64_t offset_of(int64_t signal, int64_t batch_stride, int64_t channel_stride) const {
    return signal / gradient_.num_channels * batch_stride +
           signal % gradient_.num_channels * channel_stride;
  }

  // Writes the gradient of the sums of frames.
  void pad(int64_t signal) {
    const Synthesis& synthesis = plan_.synthesis();
    const T* const from =
        static_cast<const T*>(gradient_.cotangent) +
        offset_of(signal, gradient_.cotangent_batch_stride, gradient_.cotangent_channel_stride);
    const int64_t left = left_padding(plan_.config(), gradient_.num_samples);
    const int64_t num_frames = gradient_.num_frames;
    const int64_t begin = std::clamp<int64_t>(left, 0, num_places_);
    const int64_t end = std::clamp(left + gradient_.num_samples, begin, num_places_);
    std::fill_n(padded_.get(), begin, T(0));
    for (int64_t place = begin; place < end; ++place) {
      const bool is_edge =
          place < synthesis.full_begin() || place >= synthesis.full_end(num_frames);
      const T factor = is_edge ? T(synthesis.edge_factor(place, num_frames)) : T(1);
      padded_.get()[place] = from[(place - left) * gradient_.cotangent_sample_stride] * factor;
    }
    std::fill(padded_.get() + end, padded_.get() + num_places_, T(0));
  }

  void transform() {
    specfast_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.input = padded_.get();
    batch.in_dtype =
        plan_.config().precision == Precision::kFloat64 ? SPECFAST_FLOAT64 : SPECFAST_FLOAT32;
    batch.num_batches = batch.num_channels = 1;
    batch.num_samples = num_places_;
    batch.in_sample_stride = 1;
    batch.output = rows_.get();
    batch.out_frame_stride = 2 * num_bins_;
    batch.out_row_stride = 1;
    execute(plan_.adjoint(), workspace_, batch);
  }

  void store(int64_t signal) {
    const int64_t offset = offset_of(signal, gradient_.batch_stride, gradient_.channel_stride);
    T* const real = static_cast<T*>(gradient_.real) + offset;
    T* const imag = static_cast<T*>(gradient_.imag) + offset;
    constexpr int64_t kMinValuesPerThread = 1 << 16;
    parallel_for(gradient_.num_frames, kMinValuesPerThread / num_bins_ + 1, workspace_.team(),
                 [&](int, int64_t begin, int64_t end) {
                   for (int64_t frame = begin; frame < end; ++frame) {
                     const T* const row = rows_.get() + frame * 2 * num_bins_;
                     const int64_t at = frame * gradient_.frame_stride;
                     store_frame(row, real + at, imag + at);
                   }
                 });
  }

  void store_frame(const T* row, T* real, T* imag) const {
    for (int64_t bin = 0; bin < num_bins_; ++bin) {
      const Factor& factor = factors_[std::size_t(bin)];
      const T re = row[bin], im = row[num_bins_ + bin];
      real[bin * gradient_.bin_stride] = re * factor.cosine - im * factor.sine;
      imag[bin * gradient_.bin_stride] =
          factor.is_real ? T(0) : re * factor.sine + im * factor.cosine;
    }
  }

  const InversePlan& plan_;
  const specfast_inverse_gradient& gradient_;
  Workspace workspace_;
  const int64_t num_bins_, num_places_;
  AlignedBuffer<T> padded_;  // [num_places_], of one signal
  AlignedBuffer<T> rows_;    // [num_frames][2 * num_bins_]
  std::vector<Factor> factors_;
};

}  // namespace

void pull_back_inverse(const InversePlan& plan, int num_threads,
                       const specfast_inverse_gradient& gradient) {
  const int64_t num_signals = check_gradient(plan.config(), gradient);
  if (num_signals == 0) return;
  with_precision(plan.config().precision, [&](auto zero) {
    InversePullBack<decltype(zero)>(plan, num_threads, gradient).run(num_signals);
  });
}

}  // namespace specfast::engine
