// SPDX-License-Identifier: BSD-3-Clause
// Spectra and features of whole signals and of streams, their gradients, bins of bands, tables.
#include <algorithm>
#include <utility>

#include "handles.h"

namespace differential {
namespace {

// ---- Signals -----------------------------------------------------------------------------------

// Samples of one signal, integers of 16 bits.
std::vector<double> integer_samples(const Problem& problem, std::uint64_t place) {
  Random random(problem.seed + place);
  const std::int64_t count = problem.num_samples, step = random.between(100, 30000);
  std::vector<double> samples;
  for (std::int64_t s = 0; s < count; ++s) {
    std::int64_t sample = random.between(-32768, 32767);
    switch (problem.shape) {
      case Shape::kNoise:
        break;
      case Shape::kSilences:
        if (s / 97 % 3 == 1) sample = 0;
        break;
      case Shape::kSawtooth:  // on a constant, in noise
        sample = (s * step % 65536 - 32768) / 2 + 4000 + sample / 64;
        break;
      case Shape::kDecay:
        sample /= std::int64_t(1) << (s * 12 / count);
    }
    samples.push_back(double(sample));
  }
  return samples;
}

// The samples of all signals as a call reads them.
class Input {
 public:
  Input(const Problem& problem, const Variant& variant)
      : problem_(problem),
        dtype_(variant.seed ? std::int32_t(SPECFAST_FLOAT64) : problem.in_dtype) {
    const std::int64_t num_signals = problem.num_batches * problem.num_channels;
    values_.resize(static_cast<std::size_t>(num_signals * problem.num_samples));
    for (std::int64_t signal = 0; signal < num_signals; ++signal) {
      const auto place = std::uint64_t(signal);
      const std::vector<double> samples = varied(integer_samples(problem, place), variant, place);
      const double unit = problem.in_dtype == SPECFAST_INT16 ? 1 : 1.0 / 32768;
      for (std::int64_t s = 0; s < problem.num_samples; ++s)
        values_[static_cast<std::size_t>(offset(signal, s))] =
            samples[static_cast<std::size_t>(s)] * unit;
    }
    floats_ = in_type<float>(values_);
    if (dtype_ == SPECFAST_INT16) shorts_ = in_type<std::int16_t>(values_);
  }

  std::int32_t dtype() const { return dtype_; }
  std::int64_t sample_stride() const { return problem_.is_interleaved ? problem_.num_channels : 1; }
  std::int64_t channel_stride() const { return problem_.is_interleaved ? 1 : problem_.num_samples; }
  std::int64_t batch_stride() const { return problem_.num_channels * problem_.num_samples; }
  const void* from(std::int64_t sample) const {
    const std::int64_t at = sample * sample_stride();
    if (dtype_ == SPECFAST_FLOAT32) return floats_.data() + at;
    if (dtype_ == SPECFAST_INT16) return shorts_.data() + at;
    return values_.data() + at;
  }

 private:
  std::int64_t offset(std::int64_t signal, std::int64_t sample) const {
    return signal / problem_.num_channels * batch_stride() +
           signal % problem_.num_channels * channel_stride() + sample * sample_stride();
  }

  const Problem& problem_;
  std::int32_t dtype_;
  std::vector<double> values_;
  std::vector<float> floats_;
  std::vector<std::int16_t> shorts_;
};

// ---- Frames ------------------------------------------------------------------------------------

// How the frames of a result lie.
struct Frames {
  std::int64_t num_signals, num_frames, num_rows;
  bool is_transposed;

  std::int64_t size() const { return num_signals * num_frames * num_rows; }
  std::int64_t signal_stride() const { return num_frames * num_rows; }
  std::int64_t frame_stride() const { return is_transposed ? 1 : num_rows; }
  std::int64_t row_stride() const { return is_transposed ? num_frames : 1; }
  // Frame after frame.
  template <typename T>
  Result result(const char* name, const std::vector<T>& values) const {
    Result result{name, num_rows, {}};
    result.values.reserve(values.size());
    for (std::int64_t signal = 0; signal < num_signals; ++signal) {
      for (std::int64_t frame = 0; frame < num_frames; ++frame) {
        for (std::int64_t row = 0; row < num_rows; ++row)
          result.values.push_back(double(values[static_cast<std::size_t>(
              signal * signal_stride() + frame * frame_stride() + row * row_stride())]));
      }
    }
    return result;
  }
};

Frames frames_of(const Problem& problem, const specfast_plan& plan) {
  return {problem.num_batches * problem.num_channels,
          specfast_plan_num_frames(&plan, problem.num_samples), specfast_plan_num_rows(&plan),
          problem.is_transposed};
}

specfast_batch batch_of(const Problem& problem, const Input& input, const Frames& frames,
                        void* output) {
  Structure<specfast_batch> batch;
  batch.input = input.from(0);
  batch.in_dtype = input.dtype();
  batch.in_scale = problem.in_scale;
  batch.num_batches = problem.num_batches;
  batch.num_channels = problem.num_channels;
  batch.num_samples = problem.num_samples;
  batch.in_batch_stride = input.batch_stride();
  batch.in_channel_stride = input.channel_stride();
  batch.in_sample_stride = input.sample_stride();
  batch.output = output;
  batch.out_batch_stride = problem.num_channels * frames.signal_stride();
  batch.out_channel_stride = frames.signal_stride();
  batch.out_frame_stride = frames.frame_stride();
  batch.out_row_stride = frames.row_stride();
  return batch;
}

template <typename T>
std::vector<T> execute(const Problem& problem, const specfast_plan& plan, const Input& input) {
  const Frames frames = frames_of(problem, plan);
  std::vector<T> output = room_for<T>(frames.size());
  const specfast_batch batch = batch_of(problem, input, frames, output.data());
  check(specfast_execute(&plan, make_workspace(plan).get(), &batch));
  return output;
}

// ---- Streams -----------------------------------------------------------------------------------

Stream make_stream(const Problem& problem, const specfast_plan& plan) {
  specfast_stream* created;
  check(specfast_stream_create(&plan, &created));
  Stream stream(created);
  specfast_stream_config settings;
  check(specfast_stream_config_init(&settings, sizeof(settings)));
  const specfast_config& config = problem.config;
  settings.num_channels = problem.num_channels;
  if (config.mode == SPECFAST_MODE_MEL && config.top_db_scope != SPECFAST_TOP_DB_NONE)
    settings.max_rule = SPECFAST_MAX_RUNNING;
  if (config.padding == SPECFAST_PADDING_SAME) settings.num_samples = problem.num_samples;
  check(specfast_stream_prepare(created, &settings));
  return stream;
}

// The frames of a signal that comes in pieces of odd lengths.
template <typename T>
std::vector<T> push_all(const Problem& problem, const specfast_plan& plan, const Input& input) {
  const Frames frames = frames_of(problem, plan);
  std::vector<T> output = room_for<T>(frames.size());
  const Stream stream = make_stream(problem, plan);
  Random random(problem.seed);
  Structure<specfast_block> block;
  block.in_dtype = input.dtype();
  block.in_scale = problem.in_scale;
  block.in_channel_stride = input.channel_stride();
  block.in_sample_stride = input.sample_stride();
  block.out_channel_stride = frames.signal_stride();
  block.out_frame_stride = frames.frame_stride();
  block.out_row_stride = frames.row_stride();
  std::int64_t num_frames = 0, num_written = 0;
  const auto make_room = [&] {
    num_frames += num_written;
    block.output = output.data() + num_frames * frames.frame_stride();
    block.max_frames = frames.num_frames - num_frames;
  };
  for (std::int64_t first = 0; first < problem.num_samples; first += block.num_samples) {
    make_room();
    block.input = input.from(first);
    block.num_samples = std::min(problem.num_samples - first,
                                 random.one_in(3) ? random.between(0, 5) : random.between(1, 1777));
    check(specfast_stream_push(stream.get(), &block, &num_written));
  }
  make_room();
  check(specfast_stream_flush(stream.get(), &block, &num_written));
  require(num_frames + num_written == frames.num_frames,
          "a stream has another number of frames than one call: " + problem.describe());
  return output;
}

template <typename T>
std::vector<Result> stream(const Problem& problem, const Variant& variant) {
  const Plan plan = make_plan(problem.settings(variant.dtype));
  const Input input(problem, variant);
  const std::vector<T> output = push_all<T>(problem, *plan, input);
  // The running maximum is not that of the whole signal.
  if (problem.config.mode != SPECFAST_MODE_MEL ||
      problem.config.top_db_scope == SPECFAST_TOP_DB_NONE)
    require_same_bits(output, execute<T>(problem, *plan, input), problem);
  return {frames_of(problem, *plan).result("frames", output)};
}

// ---- Gradients ---------------------------------------------------------------------------------

// Gradients by the samples and, where there is room for them, by kernels.
template <typename T>
std::vector<Result> pull_back(const Problem& problem, const Variant& variant,
                              const specfast_plan& plan, const Input& input,
                              std::vector<std::vector<T>> kernel_gradients) {
  Problem without_scale = problem;
  without_scale.in_scale = 0;
  const Frames frames = frames_of(problem, plan);
  const specfast_batch batch = batch_of(without_scale, input, frames, nullptr);
  const std::vector<T> cotangent = in_type<T>(given_noise(problem, variant, 100, frames.size()));
  std::vector<T> signal = room_for<T>(frames.num_signals * problem.num_samples);
  Structure<specfast_gradient> gradient;
  gradient.cotangent = cotangent.data();
  gradient.cotangent_batch_stride = batch.out_batch_stride;
  gradient.cotangent_channel_stride = batch.out_channel_stride;
  gradient.cotangent_frame_stride = batch.out_frame_stride;
  gradient.cotangent_row_stride = batch.out_row_stride;
  gradient.signal = signal.data();
  gradient.signal_batch_stride = problem.num_channels * problem.num_samples;
  gradient.signal_channel_stride = problem.num_samples;
  gradient.signal_sample_stride = 1;
  const auto target = [&kernel_gradients](std::size_t kernel) -> void* {
    if (kernel >= kernel_gradients.size() || kernel_gradients[kernel].empty()) return nullptr;
    return kernel_gradients[kernel].data();
  };
  gradient.real_kernel = target(0);
  gradient.imag_kernel = target(1);
  check(specfast_pull_back(&plan, 1, &batch, &gradient));
  std::vector<Result> results{{"gradient of samples", problem.num_samples, in_double(signal)}};
  for (const std::vector<T>& kernel : kernel_gradients) {
    if (!kernel.empty())
      results.push_back({"gradient of a kernel", std::int64_t(kernel.size()), in_double(kernel)});
  }
  return results;
}

template <typename T>
std::vector<Result> gradient(const Problem& problem, const Variant& variant) {
  const Plan plan = make_plan(problem.settings(variant.dtype));
  return pull_back<T>(problem, variant, *plan, Input(problem, variant), {});
}

template <typename T>
std::vector<Result> train(const Problem& problem, const Variant& variant) {
  const specfast_config config = problem.settings(variant.dtype);
  const std::int64_t size = config.frame_length * (config.fft_length / 2 + 1);
  std::vector<std::vector<T>> kernels(2);
  if (config.mode != SPECFAST_MODE_IMAG)
    kernels[0] = in_type<T>(given_noise(problem, variant, 200, size));
  if (config.mode != SPECFAST_MODE_REAL)
    kernels[1] = in_type<T>(given_noise(problem, variant, 201, size));
  Structure<specfast_weights> weights;
  weights.dtype = kDtype<T>;
  weights.rounding = 0x1p-23;
  weights.real_kernel = kernels[0].empty() ? nullptr : kernels[0].data();
  weights.imag_kernel = kernels[1].empty() ? nullptr : kernels[1].data();
  specfast_plan* created;
  check(specfast_plan_create_with_weights(&config, &weights, &created));
  const Plan plan(created);
  const Input input(problem, variant);
  std::vector<Result> results{
      frames_of(problem, *plan).result("frames", execute<T>(problem, *plan, input))};
  for (Result& result : pull_back(problem, variant, *plan, input, kernels))
    results.push_back(std::move(result));
  return results;
}

// ---- Bands -------------------------------------------------------------------------------------

template <typename T>
std::vector<Result> unmix(const Problem& problem, const Variant& variant) {
  const Plan plan = make_plan(problem.settings(variant.dtype));
  const std::int64_t num_bands = problem.config.num_mel_bins,
                     num_bins = problem.config.fft_length / 2 + 1;
  std::vector<T> energies =
      in_type<T>(given_noise(problem, variant, 0, problem.num_frames * num_bands));
  for (T& energy : energies) energy = std::max(energy, -energy);
  std::vector<T> bins = room_for<T>(problem.num_frames * num_bins);
  Structure<specfast_bands> bands;
  bands.energies = energies.data();
  bands.num_signals = 1;
  bands.num_frames = problem.num_frames;
  bands.energy_frame_stride = num_bands;
  bands.energy_band_stride = 1;
  bands.bins = bins.data();
  bands.bins_frame_stride = num_bins;
  bands.bins_bin_stride = 1;
  bands.num_iterations = problem.num_iterations;
  check(specfast_unmix_bands(plan.get(), 1, &bands));
  return {{"bins", num_bins, in_double(bins)}};
}

std::vector<Result> tables(const Problem& problem) {
  const specfast_config config = problem.settings(SPECFAST_FLOAT64);
  const std::int64_t num_bins = config.fft_length / 2 + 1, length = config.frame_length;
  std::vector<Result> results;
  for (std::size_t i = 0; const char* const name = specfast_window_name(i); ++i) {
    Result window{name, length, room_for<double>(length)};
    check(specfast_window(name, length, std::int32_t(i % 2), window.values.data()));
    results.push_back(std::move(window));
  }
  Result weights{"mel weights", num_bins, room_for<double>(num_bins * config.num_mel_bins)};
  check(specfast_mel_weights(config.num_mel_bins, num_bins, config.sampling_rate_hz,
                             config.min_freq_hz, config.max_freq_hz, weights.values.data()));
  results.push_back(std::move(weights));
  return results;
}

}  // namespace

template <typename T>
std::vector<Result> compute_forward(const Problem& problem, const Variant& variant) {
  switch (problem.kind) {
    case Kind::kStream:
      return stream<T>(problem, variant);
    case Kind::kGradient:
      return gradient<T>(problem, variant);
    case Kind::kTrained:
      return train<T>(problem, variant);
    case Kind::kUnmix:
      return unmix<T>(problem, variant);
    case Kind::kTables:
      return tables(problem);
    default:
      const Plan plan = make_plan(problem.settings(variant.dtype));
      return {frames_of(problem, *plan)
                  .result("frames", execute<T>(problem, *plan, Input(problem, variant)))};
  }
}

template std::vector<Result> compute_forward<float>(const Problem&, const Variant&);
template std::vector<Result> compute_forward<double>(const Problem&, const Variant&);

}  // namespace differential
