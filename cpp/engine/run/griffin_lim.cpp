// SPDX-License-Identifier: BSD-3-Clause
// Spectra lie in planes [real, imag][bin][frame], where both transforms read and write vectors of
// frames as they are, and one signal at a time, which fits the caches better than all.
#include "engine/run/griffin_lim.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engine/base/aligned_buffer.h"
#include "engine/base/checked.h"
#include "engine/base/error.h"
#include "engine/base/parallel.h"
#include "engine/plan/dispatch.h"
#include "engine/run/batch.h"
#include "engine/run/inverse_checks.h"
#include "engine/run/job.h"
#include "engine/spec/geometry.h"
#include "engine/spec/twiddle.h"

namespace specfast::engine {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(SPECFAST_E_INVALID_ARGUMENT, message);
}

constexpr int kPhaseBits = 12;

// Evenly spaced phases, of which random ones are drawn.
const std::array<Turn, 1 << kPhaseBits>& phases() {
  static const auto table = [] {
    std::array<Turn, 1 << kPhaseBits> turns;
    for (std::size_t i = 0; i < turns.size(); ++i) turns[i] = turn(int64_t(i), 1 << kPhaseBits);
    return turns;
  }();
  return table;
}

// Mixes the bits of a number (G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number
// Generators, 2014).
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

template <typename T>
class SignalSearch {
 public:
  SignalSearch(const Plan& plan, const InversePlan& inverse, const PhaseSearch& search,
               int num_threads, const specfast_magnitudes& arrays)
      : plan_(plan),
        inverse_(inverse),
        search_(search),
        arrays_(arrays),
        kernels_(kernels_of<T>(kernels())),
        team_(num_threads),
        forward_workspace_(plan, team_),
        inverse_workspace_(inverse.workspace_bytes(), team_),
        num_bins_(plan.config().fft_length / 2 + 1),
        // Not a power of two, which would put all rows into the same sets of a cache.
        row_stride_(round_up(arrays.num_frames, kAlignment) + kAlignment),
        plane_(checked_multiply(num_bins_, row_stride_)),
        num_samples_(working_length()),
        magnitudes_(plane_),
        rebuilt_(2 * plane_),
        before_(2 * plane_),
        spectrum_(2 * plane_),
        signal_(num_samples_) {}

  // Computes signal (batch, channel).
  void run(int64_t batch, int64_t channel) {
    take_magnitudes(static_cast<const T*>(arrays_.magnitudes) + batch * arrays_.batch_stride +
                    channel * arrays_.channel_stride);
    draw_phases();
    const T momentum = T(search_.momentum / (1 + search_.momentum));
    for (int64_t i = 0; i < search_.num_iterations; ++i) {
      invert_to(signal_.get(), num_samples_, 1);
      transform();
      turn_phases(momentum);
      std::swap(rebuilt_, before_);
    }
    invert_to(static_cast<T*>(arrays_.signal) + batch * arrays_.signal_batch_stride +
                  channel * arrays_.signal_channel_stride,
              arrays_.num_samples, arrays_.signal_sample_stride);
  }

 private:
  static constexpr int64_t kAlignment = int64_t(kWorkspaceAlignment / sizeof(T));

  // Returns a length that has as many frames as there are magnitudes.
  int64_t working_length() const {
    const Config& config = plan_.config();
    const int64_t wanted = arrays_.num_samples;
    for (const int64_t length : {usual_num_samples(inverse_.config(), arrays_.num_frames), wanted})
      if (length > 0 && num_frames(config, length) == arrays_.num_frames) return length;
    refuse(
        "num_samples must be the length of a signal with num_frames frames, received num_frames=" +
        std::to_string(arrays_.num_frames) + " and num_samples=" + std::to_string(wanted));
  }

  template <typename Body>
  void for_each_bin(const Body& body) {
    parallel_for(num_bins_, (1 << 15) / row_stride_ + 1, team_,
                 [&body](int, int64_t begin, int64_t end) {
                   for (int64_t bin = begin; bin < end; ++bin) body(bin);
                 });
  }

  void take_magnitudes(const T* from) {
    for_each_bin([&](int64_t bin) {
      T* const to = magnitudes_.get() + bin * row_stride_;
      for (int64_t f = 0; f < arrays_.num_frames; ++f)
        to[f] = from[f * arrays_.frame_stride + bin * arrays_.bin_stride];
      std::fill(to + arrays_.num_frames, to + row_stride_, T(0));
      for (T* const spectra : {rebuilt_.get(), before_.get()}) {
        std::fill_n(spectra + bin * row_stride_, row_stride_, T(0));
        std::fill_n(spectra + plane_ + bin * row_stride_, row_stride_, T(0));
      }
    });
  }

  // Gives the magnitudes random phases: bins that a real signal has no phase for, random signs.
  void draw_phases() {
    for_each_bin([&](int64_t bin) {
      const T* const magnitudes = magnitudes_.get() + bin * row_stride_;
      T* const real = spectrum_.get() + bin * row_stride_;
      T* const imag = real + plane_;
      const bool is_real = bin == 0 || 2 * bin == plan_.config().dft_length;
      for (int64_t f = 0; f < row_stride_; ++f) {
        const uint64_t place = uint64_t(bin) << 40 | uint64_t(f);
        const uint64_t drawn = mixed(mixed(search_.seed) + place * 0x9e3779b97f4a7c15u);
        const Turn& phase = phases()[drawn >> (64 - kPhaseBits)];
        real[f] = magnitudes[f] * T(is_real ? (phase.cosine < 0 ? -1 : 1) : phase.cosine);
        imag[f] = magnitudes[f] * T(is_real ? 0 : phase.sine);
      }
    });
  }

  void invert_to(T* signal, int64_t num_samples, int64_t stride) {
    specfast_spectra spectra{};
    spectra.real = spectrum_.get();
    spectra.imag = spectrum_.get() + plane_;
    spectra.num_batches = spectra.num_channels = 1;
    spectra.num_frames = arrays_.num_frames;
    spectra.frame_stride = 1;
    spectra.bin_stride = row_stride_;
    spectra.signal = signal;
    spectra.num_samples = num_samples;
    spectra.signal_sample_stride = stride;
    invert(inverse_, inverse_workspace_, spectra);
  }

  void transform() {
    specfast_batch batch{};
    batch.input = signal_.get();
    batch.in_dtype =
        plan_.config().precision == Precision::kFloat64 ? SPECFAST_FLOAT64 : SPECFAST_FLOAT32;
    batch.num_batches = batch.num_channels = 1;
    batch.num_samples = num_samples_;
    batch.in_sample_stride = 1;
    batch.output = rebuilt_.get();
    batch.out_frame_stride = 1;
    batch.out_row_stride = row_stride_;
    execute(plan_, forward_workspace_, batch);
  }

  void turn_phases(T momentum) {
    parallel_for(num_bins_, (1 << 15) / row_stride_ + 1, team_,
                 [&](int, int64_t begin, int64_t end) {
                   const int64_t place = begin * row_stride_;
                   kernels_.turn_phases({rebuilt_.get() + place, before_.get() + place,
                                         magnitudes_.get() + place, spectrum_.get() + place,
                                         (end - begin) * row_stride_, plane_, momentum});
                 });
  }

  const Plan& plan_;
  const InversePlan& inverse_;
  const PhaseSearch& search_;
  const specfast_magnitudes& arrays_;
  const PrecisionKernels<T>& kernels_;
  const Team team_;
  Workspace forward_workspace_, inverse_workspace_;
  const int64_t num_bins_, row_stride_, plane_, num_samples_;
  AlignedBuffer<T> magnitudes_, rebuilt_, before_, spectrum_, signal_;
};

// Checks the arrays of a call. Returns whether there is anything to do.
bool check_magnitudes(const Config& config, const specfast_magnitudes& arrays) {
  if (checked_signals(config, arrays) == 0 || arrays.num_samples == 0) return false;
  check_bins(config, "magnitudes", arrays.magnitudes, arrays);
  check_samples(
      config, "signal", arrays.signal, arrays,
      {arrays.signal_batch_stride, arrays.signal_channel_stride, arrays.signal_sample_stride});
  return true;
}

}  // namespace

PhaseSearch checked_search(const specfast_griffin_lim_options& options) {
  constexpr int64_t kMostIterations = 1000000;
  if (options.num_iterations < 1 || options.num_iterations > kMostIterations) {
    refuse("num_iterations must be between 1 and " + std::to_string(kMostIterations) +
           ", received num_iterations=" + std::to_string(options.num_iterations));
  }
  if (!(options.momentum >= 0 && options.momentum <= 1)) {
    refuse("momentum must be between 0 and 1, received momentum=" +
           std::to_string(options.momentum));
  }
  return {options.num_iterations, options.momentum, options.seed};
}

void find_signals(const Plan& plan, const InversePlan& inverse, const PhaseSearch& search,
                  int num_threads, const specfast_magnitudes& arrays) {
  if (!check_magnitudes(inverse.config(), arrays)) return;
  with_precision(plan.config().precision, [&](auto zero) {
    SignalSearch<decltype(zero)> signal(plan, inverse, search, num_threads, arrays);
    for (int64_t batch = 0; batch < arrays.num_batches; ++batch) {
      for (int64_t channel = 0; channel < arrays.num_channels; ++channel)
        signal.run(batch, channel);
    }
  });
}

}  // namespace specfast::engine
