// SPDX-License-Identifier: BSD-3-Clause
// Signals from spectra, at once and in pieces, from magnitudes, and the gradients by spectra.
#include <algorithm>
#include <utility>

#include "handles.h"

namespace differential {
namespace {

template <typename T>
specfast_spectra frames_from(const std::vector<T>& values, std::int64_t num_bins,
                             std::int64_t frame) {
  Structure<specfast_spectra> spectra;
  spectra.real = values.data() + frame * 2 * num_bins;
  spectra.imag = values.data() + frame * 2 * num_bins + num_bins;
  spectra.num_batches = spectra.num_channels = 1;
  spectra.frame_stride = 2 * num_bins;
  spectra.bin_stride = 1;
  return spectra;
}

// One batch in pieces: frames of an odd number at a time.
template <typename T>
std::vector<T> push_spectra(const Problem& problem, const specfast_inverse& inverse,
                            const std::vector<T>& values, std::int64_t num_samples) {
  const std::int64_t num_bins = problem.config.fft_length / 2 + 1;
  std::vector<T> signal = room_for<T>(num_samples);
  specfast_inverse_stream* created;
  check(specfast_inverse_stream_create(&inverse, 1, num_samples, &created));
  const InverseStream stream(created);
  Random random(problem.seed);
  std::int64_t num_written = 0, num_new = 0;
  const auto make_room = [&](specfast_spectra& spectra) {
    spectra.signal = signal.data() + num_written;
    spectra.num_samples = num_samples - num_written;
    spectra.signal_sample_stride = 1;
  };
  for (std::int64_t frame = 0; frame < problem.num_frames;) {
    specfast_spectra spectra = frames_from(values, num_bins, frame);
    spectra.num_frames = std::min(problem.num_frames - frame, random.between(1, 5));
    make_room(spectra);
    check(specfast_inverse_stream_push(created, &spectra, &num_new));
    num_written += num_new;
    frame += spectra.num_frames;
  }
  specfast_spectra spectra = frames_from(values, num_bins, 0);
  make_room(spectra);
  check(specfast_inverse_stream_flush(created, &spectra, &num_new));
  require(num_written + num_new == num_samples,
          "a stream has another number of samples than one call: " + problem.describe());
  return signal;
}

template <typename T>
std::vector<Result> invert(const Problem& problem, const Variant& variant,
                           const specfast_inverse& inverse, std::int64_t num_samples) {
  const std::int64_t num_bins = problem.config.fft_length / 2 + 1,
                     num_values = problem.num_frames * 2 * num_bins;
  const std::vector<T> values =
      in_type<T>(given_noise(problem, variant, 0, problem.num_batches * num_values));
  std::vector<T> signals = room_for<T>(problem.num_batches * num_samples);
  specfast_spectra spectra = frames_from(values, num_bins, 0);
  spectra.num_batches = problem.num_batches;
  spectra.num_frames = problem.num_frames;
  spectra.batch_stride = num_values;
  spectra.signal = signals.data();
  spectra.num_samples = spectra.signal_batch_stride = num_samples;
  spectra.signal_sample_stride = 1;
  specfast_workspace* created;
  check(specfast_inverse_workspace_create(&inverse, 1, nullptr, nullptr, &created));
  const Workspace workspace(created);
  check(specfast_inverse_execute(&inverse, workspace.get(), &spectra));
  const std::vector<T> first(signals.begin(), signals.begin() + num_samples);
  require_same_bits(push_spectra(problem, inverse, values, num_samples), first, problem);
  return {{"samples", num_samples, in_double(signals)}};
}

template <typename T>
std::vector<Result> pull_back_spectra(const Problem& problem, const Variant& variant,
                                      const specfast_inverse& inverse, std::int64_t num_samples) {
  const std::int64_t num_bins = problem.config.fft_length / 2 + 1,
                     num_values = problem.num_frames * 2 * num_bins;
  const std::vector<T> cotangent =
      in_type<T>(given_noise(problem, variant, 0, problem.num_batches * num_samples));
  std::vector<T> values = room_for<T>(problem.num_batches * num_values);
  Structure<specfast_inverse_gradient> gradient;
  gradient.cotangent = cotangent.data();
  gradient.num_batches = problem.num_batches;
  gradient.num_channels = 1;
  gradient.num_samples = gradient.cotangent_batch_stride = num_samples;
  gradient.cotangent_sample_stride = 1;
  gradient.real = values.data();
  gradient.imag = values.data() + num_bins;
  gradient.num_frames = problem.num_frames;
  gradient.batch_stride = num_values;
  gradient.frame_stride = 2 * num_bins;
  gradient.bin_stride = 1;
  check(specfast_inverse_pull_back(&inverse, 1, &gradient));
  return {{"gradient of spectra", 2 * num_bins, in_double(values)}};
}

template <typename T>
std::vector<Result> search_phases(const Problem& problem, const Variant& variant,
                                  const specfast_config& config) {
  specfast_griffin_lim* created;
  const specfast_griffin_lim_options options{sizeof(options), problem.num_iterations, 0.99,
                                             problem.seed};
  check(specfast_griffin_lim_create(&config, &options, &created));
  const GriffinLim griffin_lim(created);
  const std::int64_t num_bins = config.fft_length / 2 + 1;
  std::vector<T> magnitudes =
      in_type<T>(given_noise(problem, variant, 0, problem.num_frames * num_bins));
  for (T& magnitude : magnitudes) magnitude = std::max(magnitude, -magnitude);
  const std::int64_t num_samples =
      specfast_inverse_num_samples(specfast_griffin_lim_inverse(created), problem.num_frames);
  std::vector<T> signal = room_for<T>(num_samples);
  Structure<specfast_magnitudes> arrays;
  arrays.magnitudes = magnitudes.data();
  arrays.num_batches = arrays.num_channels = 1;
  arrays.num_frames = problem.num_frames;
  arrays.frame_stride = num_bins;
  arrays.bin_stride = 1;
  arrays.signal = signal.data();
  arrays.num_samples = num_samples;
  arrays.signal_sample_stride = 1;
  check(specfast_griffin_lim_execute(created, 1, &arrays));
  return {{"samples", num_samples, in_double(signal)}};
}

}  // namespace

template <typename T>
std::vector<Result> compute_inverse(const Problem& problem, const Variant& variant) {
  const specfast_config config = problem.settings(variant.dtype);
  if (problem.kind == Kind::kGriffinLim) return search_phases<T>(problem, variant, config);
  specfast_inverse* created;
  check(specfast_inverse_create(&config, &problem.inverse_options, &created));
  const Inverse inverse(created);
  const std::int64_t num_samples = specfast_inverse_num_samples(created, problem.num_frames);
  if (problem.kind == Kind::kInverse) return invert<T>(problem, variant, *inverse, num_samples);
  return pull_back_spectra<T>(problem, variant, *inverse, num_samples);
}

template std::vector<Result> compute_inverse<float>(const Problem&, const Variant&);
template std::vector<Result> compute_inverse<double>(const Problem&, const Variant&);

}  // namespace differential
