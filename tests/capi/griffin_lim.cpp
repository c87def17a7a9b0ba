// SPDX-License-Identifier: BSD-3-Clause
// Griffin-Lim on small magnitudes: threads that change no bit, and arguments that are refused.
#include <cstring>
#include <limits>

#include "harness.h"

namespace fuzz {
namespace {

specfast_config random_config(Random& random) {
  specfast_config config;
  check("config_init", specfast_config_init(&config, sizeof(config), SPECFAST_MODE_STFT), 0);
  config.dtype = random.one_in(2) ? SPECFAST_FLOAT32 : SPECFAST_FLOAT64;
  config.frame_length = random.between(2, 40);
  config.hop = random.between(1, config.frame_length / 2);
  config.fft_length = config.frame_length + random.below(20);
  config.padding = random.one_in(2) ? SPECFAST_PADDING_CENTER : SPECFAST_PADDING_END;
  return config;
}

specfast_magnitudes arrays_of(const specfast_config& config, const Buffer& magnitudes,
                              std::int64_t channels, std::int64_t frames) {
  specfast_magnitudes arrays = {};
  arrays.struct_size = sizeof(arrays);
  arrays.magnitudes = magnitudes.data();
  arrays.num_batches = 1;
  arrays.num_channels = channels;
  arrays.num_frames = frames;
  arrays.bin_stride = 1;
  arrays.frame_stride = config.fft_length / 2 + 1;
  arrays.channel_stride = frames * arrays.frame_stride;
  return arrays;
}

void refuse_arrays(Random& random, const specfast_griffin_lim* griffin_lim,
                   specfast_magnitudes arrays) {
  switch (random.below(5)) {
    case 0:
      arrays.struct_size = random.bad_size(sizeof(arrays));
      break;
    case 1:
      arrays.num_channels = -1;
      break;
    case 2:
      arrays.num_frames = -1;
      break;
    case 3:
      arrays.num_samples = INT64_MAX;
      break;
    default:
      if (arrays.num_samples == 0) return;
      arrays.magnitudes = nullptr;
  }
  refused("griffin_lim_execute", specfast_griffin_lim_execute(griffin_lim, 1, &arrays));
}

void search(Random& random, const specfast_config& config,
            const specfast_griffin_lim* griffin_lim) {
  const std::int64_t channels = random.between(1, 2), frames = random.between(1, 40);
  const std::int64_t length =
      specfast_inverse_num_samples(specfast_griffin_lim_inverse(griffin_lim), frames);
  const std::size_t bytes = bytes_of(config.dtype);
  const std::int64_t num_values = channels * frames * (config.fft_length / 2 + 1);
  const Buffer magnitudes(std::size_t(num_values) * bytes);
  fill(random, magnitudes.data(), config.dtype, num_values);
  specfast_magnitudes arrays = arrays_of(config, magnitudes, channels, frames);
  const std::size_t signal_bytes = std::size_t(channels * length) * bytes;
  const Buffer first(signal_bytes + 1), second(signal_bytes + 1);
  arrays.num_samples = length;
  arrays.signal_sample_stride = 1;
  arrays.signal_channel_stride = length;
  for (const Buffer* const signal : {&first, &second}) {
    arrays.signal = signal->data();
    const std::int32_t threads = signal == &first ? 1 : 3;
    if (!check("griffin_lim_execute", specfast_griffin_lim_execute(griffin_lim, threads, &arrays),
               kMemory))
      return;
  }
  if (std::memcmp(first.data(), second.data(), signal_bytes) != 0)
    broken("griffin_lim_execute", 0, "the same bits on several threads");
  refuse_arrays(random, griffin_lim, arrays);
}

}  // namespace

void try_griffin_lim(Random& random) {
  specfast_config config = random_config(random);
  specfast_griffin_lim_options options = {sizeof(options), random.between(1, 4),
                                          double(random.below(101)) / 100,
                                          std::uint64_t(random.below(1000))};
  const bool spoiled = random.one_in(5);
  if (spoiled) {
    switch (random.below(4)) {
      case 0:
        options.struct_size = random.bad_size(sizeof(options));
        break;
      case 1:
        options.num_iterations = random.one_in(2) ? 0 : INT64_MIN;
        break;
      case 2:
        options.momentum = random.one_in(2) ? -0.1 : std::numeric_limits<double>::quiet_NaN();
        break;
      default:
        config.mode = SPECFAST_MODE_MAGNITUDE;
    }
  }
  specfast_griffin_lim* griffin_lim = nullptr;
  const specfast_status status = specfast_griffin_lim_create(&config, &options, &griffin_lim);
  const bool made =
      check("griffin_lim_create", status, spoiled ? kRefused : kMemory | kRefused, !spoiled);
  if (made != (griffin_lim != nullptr)) broken("griffin_lim_create", status, "a handle or NULL");
  if (made) search(random, config, griffin_lim);
  specfast_griffin_lim_destroy(griffin_lim);
}

}  // namespace fuzz
