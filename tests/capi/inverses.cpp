// SPDX-License-Identifier: BSD-3-Clause
// Inverses of small transforms: calls, streams that must give the bits of a call, gradients that
// must be adjoint to it, and arguments that are refused.
#include <cmath>

#include "harness.h"

namespace fuzz {
namespace {

struct Inverse {
  specfast_config config;
  std::vector<double> window;
  specfast_inverse_options options = {};
  specfast_inverse* handle = nullptr;
  specfast_workspace* workspace = nullptr;
  std::int64_t num_bins = 0;
  Inverse() = default;
  Inverse(const Inverse&) = delete;
  Inverse& operator=(const Inverse&) = delete;
  ~Inverse() {
    specfast_workspace_destroy(workspace);
    specfast_inverse_destroy(handle);
  }
};

specfast_config random_config(Random& random, std::vector<double>& window) {
  specfast_config config;
  check("config_init", specfast_config_init(&config, sizeof(config), SPECFAST_MODE_STFT), 0);
  config.dtype = random.one_in(2) ? SPECFAST_FLOAT32 : SPECFAST_FLOAT64;
  config.frame_length = random.between(1, 70);
  config.hop = random.between(1, config.frame_length);
  config.fft_length = std::max<std::int64_t>(2, config.frame_length + 1 + random.below(20));
  config.padding = std::int32_t(random.below(6));
  if (config.padding == SPECFAST_PADDING_SIDES) config.pad_length = random.below(40);
  config.scaling = std::int32_t(random.below(3));
  Random source = random.another();
  for (std::int64_t n = 0; n < config.frame_length; ++n)
    window.push_back(double(source.between(50, 150)) / 100);
  config.window = window.data();
  return config;
}

// Whether the inverse was made; it may be refused, and then is.
bool create(Random& random, Inverse& inverse) {
  inverse.config = random_config(random, inverse.window);
  inverse.options.struct_size = sizeof(inverse.options);
  inverse.options.keeps_odd_length = std::int32_t(random.below(2));
  inverse.options.phase_origin = random.one_in(2) ? 0 : random.below(inverse.config.fft_length / 2);
  inverse.num_bins = inverse.config.fft_length / 2 + 1;
  const bool spoiled = random.one_in(4);
  if (spoiled) {
    constexpr std::int64_t kBad[] = {-1, INT64_MIN, INT64_MAX};
    switch (random.below(7)) {
      case 0:
        inverse.options.struct_size = random.bad_size(sizeof(inverse.options));
        break;
      case 1:
        inverse.options.phase_origin = random.of(kBad);
        break;
      case 2:
        inverse.options.keeps_odd_length = random.bad_enum();
        break;
      case 3:
        inverse.config.hop = inverse.config.frame_length + 1;
        break;
      case 4:
        inverse.config.mode = SPECFAST_MODE_LOG;
        break;
      case 5:
        inverse.config.masked_frames = 1;
        break;
      default:
        inverse.config.window = nullptr;
        inverse.config.hop = 0;
    }
  }
  const specfast_status status =
      specfast_inverse_create(&inverse.config, &inverse.options, &inverse.handle);
  if (!check("inverse_create", status, spoiled ? kRefused : 0, !spoiled)) {
    if (inverse.handle) broken("inverse_create", status, "NULL");
    return false;
  }
  const std::int32_t threads = std::int32_t(random.between(1, 3));
  check("inverse_workspace_create",
        specfast_inverse_workspace_create(inverse.handle, threads, nullptr, nullptr,
                                          &inverse.workspace),
        0);
  return true;
}

// Returns a length that so many frames can stand for.
std::int64_t random_length(Random& random, const Inverse& inverse, std::int64_t num_frames) {
  const std::int64_t most = specfast_inverse_max_samples(inverse.handle, num_frames);
  if (num_frames == 0 || inverse.config.padding != SPECFAST_PADDING_SAME)
    return random.between(0, most);
  return random.between(most - inverse.config.hop + 1, most);
}

specfast_spectra spectra_of(const Inverse& inverse, const Buffer& values, std::int64_t channels,
                            std::int64_t frames, bool by_bin) {
  specfast_spectra spectra = {};
  spectra.struct_size = sizeof(spectra);
  spectra.real = values.data();
  spectra.imag = static_cast<unsigned char*>(values.data()) + bytes_of(inverse.config.dtype);
  spectra.num_batches = 1;
  spectra.num_channels = channels;
  spectra.num_frames = frames;
  spectra.channel_stride = 2 * frames * inverse.num_bins;
  spectra.frame_stride = by_bin ? 2 : 2 * inverse.num_bins;
  spectra.bin_stride = by_bin ? 2 * frames : 2;
  return spectra;
}

void place_signal(const Buffer& signal, std::int64_t length, specfast_spectra& spectra) {
  spectra.signal = signal.data();
  spectra.num_samples = length;
  spectra.signal_batch_stride = spectra.num_channels * length;
  spectra.signal_channel_stride = length;
  spectra.signal_sample_stride = 1;
}

// Pushes the frames in pieces; all samples together are those of the call.
void compare_stream(Random& random, const Inverse& inverse, const specfast_spectra& whole) {
  const std::size_t bytes = bytes_of(inverse.config.dtype);
  specfast_inverse_stream* stream = nullptr;
  check("inverse_stream_create",
        specfast_inverse_stream_create(inverse.handle, whole.num_channels, whole.num_samples,
                                       &stream),
        0);
  const std::int64_t room = std::max<std::int64_t>(whole.num_samples, 1);
  const Buffer joined(std::size_t(whole.num_channels * room) * bytes);
  std::int64_t taken = 0, given = 0, count = 0;
  const auto place = [&](specfast_spectra& part) {
    part.signal = static_cast<unsigned char*>(joined.data()) + std::size_t(given) * bytes;
    part.num_samples = whole.num_samples - given;
    part.signal_channel_stride = room;
  };
  while (taken < whole.num_frames) {
    specfast_spectra part = whole;
    const std::size_t begin = std::size_t(taken * whole.frame_stride) * bytes;
    part.num_frames = random.between(0, std::min<std::int64_t>(whole.num_frames - taken, 20));
    part.real = static_cast<const unsigned char*>(whole.real) + begin;
    part.imag = static_cast<const unsigned char*>(whole.imag) + begin;
    place(part);
    const std::int64_t expected = specfast_inverse_stream_num_samples(stream, part.num_frames);
    check("inverse_stream_push", specfast_inverse_stream_push(stream, &part, &count), 0);
    if (count != expected) broken("inverse_stream_num_samples", 0, "the samples of the push");
    taken += part.num_frames;
    given += count;
    if (!random.one_in(4)) continue;
    std::vector<unsigned char> state(std::size_t(specfast_inverse_stream_state_bytes(stream)));
    check("inverse_stream_save", specfast_inverse_stream_save(stream, state.data(), state.size()),
          0);
    check("inverse_stream_reset", specfast_inverse_stream_reset(stream), 0);
    check("inverse_stream_load", specfast_inverse_stream_load(stream, state.data(), state.size()),
          0);
  }
  specfast_spectra rest = whole;
  place(rest);
  const std::int64_t expected = specfast_inverse_stream_flush_samples(stream);
  check("inverse_stream_flush", specfast_inverse_stream_flush(stream, &rest, &count), 0);
  if (count != expected || given + count != whole.num_samples)
    broken("inverse_stream_flush", 0, "all samples");
  refused("inverse_stream_push", specfast_inverse_stream_push(stream, &rest, &count));
  specfast_inverse_stream_destroy(stream);
  if (!have_same_bits(inverse.config.dtype, joined.data(), whole.signal,
                      std::size_t(whole.num_channels * whole.num_samples) * bytes))
    broken("inverse_stream_flush", 0, "the bits of one call");
  count = 0;
  fuzz::count("(inverse compared with one call)", 0);
}

template <typename T>
double inner_product(const Buffer& a, const Buffer& b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    sum += double(static_cast<T*>(a.data())[i]) * double(static_cast<T*>(b.data())[i]);
  return sum;
}

// <cotangent, inverse of spectra> and <gradient, spectra> are the same number.
template <typename T>
void compare_gradient(Random& random, const Inverse& inverse, const Buffer& values,
                      const Buffer& signal, const specfast_spectra& spectra) {
  const std::int64_t num_values = spectra.num_channels * spectra.channel_stride;
  const std::int64_t num_samples = spectra.num_channels * spectra.num_samples;
  const Buffer cotangent(std::size_t(num_samples) * sizeof(T) + 1);
  const Buffer gradient(std::size_t(num_values) * sizeof(T) + 1);
  Random source = random.another();
  for (std::int64_t i = 0; i < num_samples; ++i)
    static_cast<T*>(cotangent.data())[i] = T(source.between(-100, 100)) / T(100);
  specfast_inverse_gradient args = {};
  args.struct_size = sizeof(args);
  args.cotangent = cotangent.data();
  args.num_batches = 1;
  args.num_channels = spectra.num_channels;
  args.num_samples = spectra.num_samples;
  args.cotangent_channel_stride = spectra.num_samples;
  args.cotangent_sample_stride = 1;
  args.real = gradient.data();
  args.imag = static_cast<T*>(gradient.data()) + 1;
  args.num_frames = spectra.num_frames;
  args.channel_stride = spectra.channel_stride;
  args.frame_stride = spectra.frame_stride;
  args.bin_stride = spectra.bin_stride;
  check("inverse_pull_back", specfast_inverse_pull_back(inverse.handle, 2, &args), 0);
  const double forward = inner_product<T>(cotangent, signal, num_samples);
  const double backward = inner_product<T>(gradient, values, num_values);
  const double scale = std::sqrt(inner_product<T>(cotangent, cotangent, num_samples) *
                                 inner_product<T>(signal, signal, num_samples)) +
                       std::sqrt(inner_product<T>(gradient, gradient, num_values) *
                                 inner_product<T>(values, values, num_values));
  if (!(std::abs(forward - backward) <= (sizeof(T) == 4 ? 1e-5 : 1e-13) * scale + 1e-30))
    broken("inverse_pull_back", 0, "the adjoint");
  refused("inverse_pull_back", specfast_inverse_pull_back(nullptr, 1, &args));
  args.num_samples = -1;
  refused("inverse_pull_back", specfast_inverse_pull_back(inverse.handle, 1, &args));
}

void refuse_spectra(Random& random, const Inverse& inverse, specfast_spectra spectra) {
  switch (random.below(6)) {
    case 0:
      spectra.struct_size = random.bad_size(sizeof(spectra));
      break;
    case 1:
      spectra.num_batches = -1;
      break;
    case 2:
      spectra.num_frames = -1;
      break;
    case 3:
      spectra.num_samples = specfast_inverse_max_samples(inverse.handle, spectra.num_frames) + 1;
      break;
    case 4:
      if (spectra.num_samples == 0) return;
      spectra.imag = nullptr;
      break;
    default:
      if (spectra.num_samples == 0) return;
      spectra.bin_stride = INT64_MIN;
  }
  refused("inverse_execute", specfast_inverse_execute(inverse.handle, inverse.workspace, &spectra));
}

}  // namespace

void try_inverse(Random& random) {
  Inverse inverse;
  if (!create(random, inverse)) return;
  const std::int64_t channels = random.between(1, 3), frames = random.between(0, 90);
  const std::int64_t length = random_length(random, inverse, frames);
  const std::size_t bytes = bytes_of(inverse.config.dtype);
  const std::int64_t num_values = 2 * channels * frames * inverse.num_bins;
  const Buffer values(std::size_t(num_values) * bytes + bytes),
      signal(std::size_t(channels * length) * bytes + 1);
  const bool is_odd = random.one_in(3);  // with NaN, infinities and subnormal numbers
  if (is_odd) {
    fill(random, values.data(), inverse.config.dtype, num_values);
  } else {
    Random source = random.another();
    for (std::int64_t i = 0; i < num_values; ++i) {
      const double value = double(source.between(-1000, 1000)) / 1000;
      if (bytes == 4) static_cast<float*>(values.data())[i] = float(value);
      if (bytes == 8) static_cast<double*>(values.data())[i] = value;
    }
  }
  specfast_spectra spectra = spectra_of(inverse, values, channels, frames, random.one_in(2));
  place_signal(signal, length, spectra);
  check("inverse_execute", specfast_inverse_execute(inverse.handle, inverse.workspace, &spectra),
        0);
  std::int64_t at_begin = 0, at_end = 0;
  check("inverse_lost_samples",
        specfast_inverse_lost_samples(inverse.handle, frames, length, &at_begin, &at_end), 0);
  if (at_begin < 0 || at_end < 0 || at_begin + at_end > length)
    broken("inverse_lost_samples", 0, "samples of the signal");
  compare_stream(random, inverse, spectra);
  if (!is_odd) {
    if (bytes == 4) compare_gradient<float>(random, inverse, values, signal, spectra);
    if (bytes == 8) compare_gradient<double>(random, inverse, values, signal, spectra);
  }
  refuse_spectra(random, inverse, spectra);
}

void try_inverse_states(Random& random) {
  Inverse inverse;
  if (!create(random, inverse)) return;
  const std::int64_t channels = random.between(1, 3), frames = random.between(1, 60);
  const std::int64_t length = random_length(random, inverse, frames);
  const std::size_t bytes = bytes_of(inverse.config.dtype);
  const std::int64_t num_values = 2 * channels * frames * inverse.num_bins;
  const Buffer values(std::size_t(num_values) * bytes + bytes);
  fill(random, values.data(), inverse.config.dtype, num_values);
  specfast_inverse_stream* stream = nullptr;
  check("inverse_stream_create",
        specfast_inverse_stream_create(inverse.handle, channels, length, &stream), 0);
  // Samples that a push or a flush gives, into memory that ends behind them.
  const auto take = [&](const char* function, auto call, std::int64_t announced,
                        std::int64_t num_frames, int allowed) {
    if (announced < 0 || announced > std::max<std::int64_t>(length, 0))
      broken(function, int(announced), "samples of the signal");
    const Buffer signal(std::size_t(channels * announced) * bytes + 1);
    specfast_spectra part = spectra_of(inverse, values, channels, frames, false);
    part.num_frames = num_frames;
    place_signal(signal, announced, part);
    std::int64_t count = -1;
    if (check(function, call(stream, &part, &count), allowed) && count != announced)
      broken(function, int(count), "as many samples as were announced");
  };
  const auto push = [&] {
    const std::int64_t num_frames = random.between(0, frames);
    const std::int64_t announced = specfast_inverse_stream_num_samples(stream, num_frames);
    // More frames than the length stands for are refused, and so is what follows the end.
    take("inverse_stream_push", specfast_inverse_stream_push, std::max<std::int64_t>(announced, 0),
         num_frames, kRefused);
  };
  for (std::int64_t round = random.between(1, 4); round > 0; --round) {
    push();
    std::vector<unsigned char> state(std::size_t(specfast_inverse_stream_state_bytes(stream)));
    check("inverse_stream_save", specfast_inverse_stream_save(stream, state.data(), state.size()),
          0);
    state = damaged(random, state);
    check("inverse_stream_load", specfast_inverse_stream_load(stream, state.data(), state.size()),
          kRefused);
  }
  push();
  take("inverse_stream_flush", specfast_inverse_stream_flush,
       std::max<std::int64_t>(specfast_inverse_stream_flush_samples(stream), 0), 0, kRefused);
  specfast_inverse_stream_destroy(stream);
}

}  // namespace fuzz
