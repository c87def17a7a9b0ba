// SPDX-License-Identifier: BSD-3-Clause
// Generated calls, good and bad ones, in and out of order, of plans and what is made of them.
#include <algorithm>
#include <cstdlib>

#include "harness.h"

namespace fuzz {
namespace {

std::vector<std::unique_ptr<Plan>> plans;

// ---- Plans --------------------------------------------------------------------------------------

void create_plan(Random& random) {
  std::vector<double> window;
  bool spoiled;
  auto plan = std::make_unique<Plan>();
  plan->config = plan_config(random, window, &spoiled);
  if (random.one_in(50)) {
    refused("plan_create", specfast_plan_create(&plan->config, nullptr));
    refused("plan_create", specfast_plan_create(nullptr, &plan->handle));
    return;
  }
  const bool large = plan->config.fft_length > 1 << 20;
  const bool starved = random.one_in(20);
  if (random.one_in(3) && !large) {
    create_weighted_plan(random, *plan, spoiled);
  } else {
    if (starved) allocations_left = random.below(40);
    const specfast_status status = specfast_plan_create(&plan->config, &plan->handle);
    allocations_left = -1;
    check("plan_create", status, (starved || large ? kMemory : 0) | (spoiled ? kRefused : 0),
          !spoiled);
    if (status != SPECFAST_OK && plan->handle) broken("plan_create", status, "a null handle");
  }
  if (!plan->handle) return;
  if (specfast_plan_is_analytic(nullptr)) broken("plan_is_analytic", 1, "0");
  check(
      "workspace_create",
      specfast_workspace_create(plan->handle, std::int32_t(random.between(1, 3)), &plan->workspace),
      kMemory);
  plans.push_back(std::move(plan));
}

void destroy_plan(Random& random) {
  if (plans.size() < 2) return;
  const std::size_t index = std::size_t(random.below(std::int64_t(plans.size())));
  destroy_streams_of(plans[index].get());
  plans.erase(plans.begin() + std::ptrdiff_t(index));
}

void ask_plan(Random& random, const Plan& plan) {
  constexpr std::int64_t kLengths[] = {0,    1,         -1,        7,
                                       1000, INT64_MAX, INT64_MIN, std::int64_t(1) << 62};
  const std::int64_t length = random.of(kLengths);
  check_number("plan_num_frames", specfast_plan_num_frames(plan.handle, length), false);
  check_number("plan_num_kept", specfast_plan_num_kept(plan.handle, length), false);
  check_number("plan_num_rows", specfast_plan_num_rows(plan.handle), false);
  if (specfast_plan_num_frames(nullptr, 5) || specfast_plan_num_rows(nullptr))
    broken("plan_num_rows", 0, "0 for NULL");
  specfast_workspace* workspace = nullptr;
  refused("workspace_create", specfast_workspace_create(nullptr, 1, &workspace));
  refused("workspace_create", specfast_workspace_create(plan.handle, 1, nullptr));
  refused("workspace_create",
          specfast_workspace_create(plan.handle, random.one_in(2) ? -1 : 4097, &workspace));
  specfast_plan_destroy(nullptr);
  specfast_workspace_destroy(nullptr);
}

// ---- Batches ------------------------------------------------------------------------------------

// A good batch, with room for what is kept, or without.
void execute_keep(Random& random, const Plan& plan, const specfast_batch& batch) {
  const std::int64_t each = specfast_plan_num_kept(plan.handle, batch.num_samples);
  const std::int64_t signals = batch.num_batches * batch.num_channels;
  const std::size_t value = bytes_of(plan.config.dtype);
  const Buffer kept(std::size_t(each * signals) * value + value);
  unsigned char* const misaligned = static_cast<unsigned char*>(kept.data()) + 1;
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, batch.num_samples);
  const bool anything = signals * frames > 0;
  specfast_batch cut = batch;
  cut.num_frames = 1000;
  if (anything) {
    refused("execute_keep", specfast_execute_keep(plan.handle, plan.workspace, &cut, kept.data()));
  }
  const bool good = random.one_in(2);
  const specfast_status status =
      specfast_execute_keep(plan.handle, plan.workspace, &batch, good ? kept.data() : misaligned);
  const bool refusable = anything && (!good || each == 0);
  check("execute_keep", status, refusable ? kRefused : 0, !refusable);
  refused("execute_keep", specfast_execute_keep(plan.handle, plan.workspace, &batch, nullptr));
  if (!good || refusable || !anything) return;
  specfast_gradient gradient = {};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = batch.output;
  gradient.cotangent_row_stride = batch.out_row_stride;
  gradient.cotangent_frame_stride = batch.out_frame_stride;
  gradient.cotangent_channel_stride = batch.out_channel_stride;
  gradient.cotangent_batch_stride = batch.out_batch_stride;
  const Buffer signal(std::size_t(signals * batch.num_samples) * value);
  gradient.signal = signal.data();
  gradient.signal_sample_stride = 1;
  gradient.signal_channel_stride = batch.num_samples;
  gradient.signal_batch_stride = batch.num_channels * batch.num_samples;
  gradient.kept = random.one_in(3) ? misaligned : kept.data();
  const bool bad = gradient.kept == misaligned;
  check("pull_back", specfast_pull_back(plan.handle, 1, &batch, &gradient), bad ? kRefused : 0,
        !bad);
}

// A good batch, of signals of their own lengths and more or fewer frames than they have.
void execute_clips(Random& random, const Plan& plan, specfast_batch batch) {
  const std::int64_t signals = batch.num_batches * batch.num_channels;
  std::vector<std::int64_t> lengths;
  std::vector<const void*> starts;
  const unsigned char* const input = static_cast<const unsigned char*>(batch.input);
  const std::size_t bytes = bytes_of(batch.in_dtype);
  for (std::int64_t i = 0; i < signals; ++i) {
    lengths.push_back(random.below(batch.num_samples + 1));
    starts.push_back(input + std::size_t(i * batch.num_samples * batch.in_sample_stride) * bytes);
  }
  batch.lengths = lengths.data();
  if (random.one_in(2)) {
    batch.starts = starts.data();
    batch.input = nullptr;
  }
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::int64_t most = limits.max_values / (rows * std::max<std::int64_t>(signals, 1));
  batch.num_frames = random.between(1, std::clamp<std::int64_t>(most, 1, 40));
  const Buffer output(std::size_t(signals * batch.num_frames * rows) * bytes_of(plan.config.dtype));
  batch.output = output.data();
  batch.out_row_stride = 1;
  batch.out_frame_stride = rows;
  batch.out_channel_stride = batch.num_frames * rows;
  batch.out_batch_stride = batch.num_channels * batch.out_channel_stride;
  const bool spoiled = signals > 0 && random.one_in(4);
  if (spoiled) lengths.back() = random.one_in(2) ? batch.num_samples + 1 : -1;
  check("execute", specfast_execute(plan.handle, plan.workspace, &batch), spoiled ? kRefused : 0,
        !spoiled);
}

void execute(Random& random, const Plan& plan) {
  if (!plan.workspace) return;
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = std::int32_t(random.below(3));
  batch.num_batches = random.below(3);
  batch.num_channels = random.below(3);
  batch.num_samples = shortened(plan, random.one_in(5) ? random.below(4) : random.below(500),
                                batch.num_batches * batch.num_channels, limits.max_values);
  const std::int64_t step = random.between(1, 2);
  batch.in_sample_stride = step;
  batch.in_channel_stride = batch.num_samples * step;
  batch.in_batch_stride = batch.num_channels * batch.in_channel_stride;
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, batch.num_samples);
  const std::int64_t values = batch.num_batches * batch.num_channels * frames * rows;
  const bool rows_next = random.one_in(2);
  batch.out_row_stride = rows_next ? 1 : frames;
  batch.out_frame_stride = rows_next ? rows : 1;
  batch.out_channel_stride = frames * rows;
  batch.out_batch_stride = batch.num_channels * frames * rows;
  const std::size_t in_bytes = bytes_of(batch.in_dtype), out_bytes = bytes_of(plan.config.dtype);
  const std::int64_t read = batch.num_batches * batch.in_batch_stride;
  const Buffer input(std::size_t(read) * in_bytes), output(std::size_t(values) * out_bytes);
  fill(random, input.data(), batch.in_dtype, read);
  batch.input = input.data();
  batch.output = output.data();

  const bool spoiled = random.one_in(3);
  if (spoiled) {
    constexpr std::int64_t kBad[] = {-1, INT64_MIN};
    switch (random.below(9)) {
      case 0:
        batch.struct_size = random.bad_size(sizeof(batch));
        break;
      case 1:
        batch.in_dtype = random.bad_enum();
        break;
      case 2:
        batch.num_batches = random.of(kBad);
        break;
      case 3:
        batch.num_channels = random.of(kBad);
        break;
      case 4:
        batch.num_samples = random.one_in(2) ? random.of(kBad) : INT64_MAX;
        break;
      case 5:
        refused("execute", specfast_execute(nullptr, plan.workspace, &batch));
        return;
      case 6:
        refused("execute", specfast_execute(plan.handle, nullptr, &batch));
        return;
      case 7:
        refused("execute", specfast_execute(plan.handle, plan.workspace, nullptr));
        return;
      default:
        if (values == 0) return;
        switch (random.below(5)) {
          case 0:
            batch.input = nullptr;
            break;
          case 1:
            batch.output = nullptr;
            break;
          case 2:
            batch.output = static_cast<unsigned char*>(output.data()) + 1;
            break;
          case 3:
            batch.out_row_stride = INT64_MIN;
            break;
          default:
            batch.num_batches = 3;
            batch.in_batch_stride = INT64_MAX / 2;
            break;
        }
    }
  }
  if (!spoiled && random.one_in(2)) return execute_keep(random, plan, batch);
  if (!spoiled && random.one_in(3)) return execute_clips(random, plan, batch);
  check("execute", specfast_execute(plan.handle, plan.workspace, &batch), spoiled ? kRefused : 0,
        !spoiled);
}

// ---- Everything else ----------------------------------------------------------------------------

// The bands that hold no bin are those without weights. `values` has room for 12 bands.
void ask_bands(Random& random, std::int64_t num_bins, std::vector<double>& values) {
  std::vector<std::uint8_t> is_empty(12, 7);
  check("mel_weights", specfast_mel_weights(12, num_bins, 8000, 0, 4000, values.data()), 0);
  check("empty_bands", specfast_empty_bands(12, num_bins, 8000, 0, 4000, is_empty.data()), 0);
  for (std::size_t band = 0; band < is_empty.size(); ++band) {
    double sum = 0;
    for (std::int64_t bin = 0; bin < num_bins; ++bin) sum += values[std::size_t(bin) * 12 + band];
    if (is_empty[band] != (sum == 0))
      broken("empty_bands", is_empty[band], "bands without weights");
  }
  refused("empty_bands", specfast_empty_bands(12, num_bins, 8000, 0, 4000, nullptr));
  refused("empty_bands",
          specfast_empty_bands(random.bad_count(), num_bins, 8000, 0, 4000, is_empty.data()));
  refused("empty_bands",
          specfast_empty_bands(12, num_bins, 8000, 0, random.bad_number(), is_empty.data()));
}

void ask_library(Random& random) {
  const std::int64_t length = random.between(1, 40);
  std::vector<double> values(std::size_t(length * 12));
  constexpr const char* kNames[] = {"hann", "hamming", "no such window", "", "boxcar"};
  const char* const name = random.of(kNames);
  const bool known = name[0] && name[0] != 'n';
  check("window", specfast_window(name, length, 1, values.data()), known ? 0 : kRefused, known);
  refused("window", specfast_window(nullptr, length, 1, values.data()));
  refused("window", specfast_window("hann", length, 1, nullptr));
  refused("window", specfast_window("hann", random.bad_count(), 1, values.data()));
  if (specfast_window_name(SIZE_MAX)) broken("window_name", 0, "NULL");
  check("mel_weights", specfast_mel_weights(12, length, 8000, 0, 4000, values.data()), 0);
  refused("mel_weights", specfast_mel_weights(12, length, 8000, 0, 4000, nullptr));
  refused("mel_weights",
          specfast_mel_weights(random.bad_count(), length, 8000, 0, 4000, values.data()));
  refused("mel_weights",
          specfast_mel_weights(12, length, random.bad_number(), 0, 1, values.data()));
  ask_bands(random, length, values);
  refused("config_init", specfast_config_init(nullptr, sizeof(specfast_config), 0));
  specfast_config config;
  refused("config_init", specfast_config_init(&config, sizeof(config), random.bad_enum()));
  refused("config_init", specfast_config_init(&config, random.bad_size(sizeof(config)), 0));
  specfast_stream_config stream;
  refused("stream_config_init", specfast_stream_config_init(nullptr, sizeof(stream)));
  refused("stream_config_init",
          specfast_stream_config_init(&stream, random.bad_size(sizeof(stream))));
  specfast_build_info info;
  info.struct_size = random.bad_size(sizeof(info));
  refused("get_build_info", specfast_get_build_info(&info));
  refused("get_build_info", specfast_get_build_info(nullptr));
  refused("set_num_threads", specfast_set_num_threads(random.one_in(2) ? -1 : 4097));
}

void ask_rows(Random& random) {
  std::vector<double> window;
  bool spoiled;
  specfast_config config = plan_config(random, window, &spoiled);
  const bool mel = config.mode == SPECFAST_MODE_MEL;
  if (!mel) config.sampling_rate_hz = 8000;
  if (!spoiled && config.fft_length > 1 << 20) return;
  const std::int64_t rows =
      spoiled ? 1
      : mel   ? static_rows_of(config) * (1 + config.delta_order)
              : (config.fft_length / 2 + 1) * (config.mode == SPECFAST_MODE_STFT ? 2 : 1);
  std::vector<double> hz(std::size_t(rows), -1.0);
  const specfast_status status = specfast_frequencies(&config, hz.data());
  const bool refusable = spoiled || (mel && (config.num_cepstra > 0 || config.mel_weights));
  if (check("frequencies", status, refusable ? kRefused : 0, !refusable)) {
    const bool has_energy = mel && config.energy != SPECFAST_ENERGY_NONE;
    for (std::size_t row = 0; row < hz.size(); ++row) {
      const bool is_energy = has_energy && row % (config.num_mel_bins + 1) == 0;
      if (is_energy != !(hz[row] >= 0 && hz[row] <= 1e9))
        broken("frequencies", status, "frequencies of every row");
    }
  }
  refused("frequencies", specfast_frequencies(nullptr, hz.data()));
  refused("frequencies", specfast_frequencies(&config, nullptr));
  if (!mel) {
    config.sampling_rate_hz = random.one_in(2) ? 0 : random.bad_number();
    refused("frequencies", specfast_frequencies(&config, hz.data()));
  }
  if (specfast_mode_name(random.bad_enum())) broken("mode_name", 0, "NULL");
  if (!specfast_mode_name(SPECFAST_MODE_MEL)) broken("mode_name", 0, "a name");
  if (specfast_level_name(random.bad_enum())) broken("level_name", 0, "NULL");
  if (!specfast_level_name(SPECFAST_LEVEL_DECIBEL)) broken("level_name", 0, "a name");
  if (!(specfast_hertz_to_mel(1000) > specfast_hertz_to_mel(999)))
    broken("hertz_to_mel", 0, "a scale that rises");
}

}  // namespace

void call_something(Random& random) {
  if (plans.size() < limits.num_plans || random.one_in(20)) create_plan(random);
  if (plans.size() > 2 * limits.num_plans) destroy_plan(random);
  if (plans.empty()) return;
  const Plan& plan = *plans[std::size_t(random.below(std::int64_t(plans.size())))];
  const std::int64_t choice = random.below(40);
  if (choice < 4) return execute(random, plan);
  if (choice < 5) return ask_plan(random, plan);
  if (choice < 6) return random.one_in(2) ? ask_library(random) : ask_rows(random);
  if (choice < 8) return pull_back(random, plan);
  if (choice < 9 && random.one_in(2)) return unmix_bands(random, plan);
  if (choice < 10) return keep(random, plan);
  if (choice < 12 && random.one_in(2)) {
    if (random.one_in(4)) return try_griffin_lim(random);
    return random.one_in(4) ? try_inverse_states(random) : try_inverse(random);
  }
  if (choice < 13 && random.one_in(10)) return refuse_misaligned(random);
  try_streams(random, plans);
}

void forget_everything() {
  destroy_streams_of(nullptr);
  plans.clear();
}

}  // namespace fuzz
