// SPDX-License-Identifier: BSD-3-Clause
// Configurations of any numbers: each is refused with a message, or lies within the bounds that
// types.h tells and makes a plan that answers questions, computes, streams and is inverted.
#include <algorithm>
#include <cmath>
#include <limits>

#include "common.h"

namespace {

using fuzz::broken;
using fuzz::Buffer;
using fuzz::check;
using fuzz::kMemory;
using fuzz::kRefused;
using fuzz::Plan;
using fuzz::Random;

constexpr std::int64_t kMaxLength = std::int64_t(1) << 27, kMaxBands = std::int64_t(1) << 20;
// Of arrays that configurations point to, and of a call's output.
constexpr std::int64_t kMaxValues = std::int64_t(1) << 15;
constexpr int kAnything = kMemory | kRefused;

std::uint64_t any_bits(Random& random) {
  constexpr std::int64_t kHalf = std::int64_t(1) << 32;
  const std::uint64_t high = std::uint64_t(random.below(kHalf));
  return high << 32 | std::uint64_t(random.below(kHalf));
}

void vary(Random& random, std::int32_t& value) {
  if (random.one_in(2)) return;
  value = std::int32_t(random.one_in(5) ? std::int64_t(any_bits(random)) : random.below(8));
}

void vary(Random& random, std::int64_t& value) {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      value = random.between(0, 300);
      return;
    case 3:
      value = (std::int64_t(1) << random.below(32)) + random.between(-1, 1);
      return;
    case 4:
      value = std::int64_t(any_bits(random));
      return;
    default:
      return;
  }
}

void vary(Random& random, double& value) {
  constexpr double kNumbers[] = {0,     1,    2,    0.5,  -1,    1e-3,  1e-39,
                                 1e-15, 1e15, 1e30, 1e31, 1e-30, 1e300, 4000};
  switch (random.below(8)) {
    case 0:
    case 1:
      value = random.of(kNumbers);
      return;
    case 2: {
      const std::uint64_t bits = any_bits(random);
      std::memcpy(&value, &bits, sizeof(value));
      return;
    }
    default:
      return;
  }
}

bool is_in(double value, double low, double high) { return value >= low && value <= high; }
bool is_addend(double value) { return value == 0 || is_in(value, 0x1p-126, 1e30); }

// The bounds that types.h tells of the numbers of mode MEL.
bool is_mel_within_bounds(const specfast_config& c) {
  const bool has_level = c.level != SPECFAST_LEVEL_ENERGY;
  const double most = std::numeric_limits<double>::max();
  if (!is_in(double(c.num_mel_bins), 1, double(kMaxBands))) return false;
  if (!(c.sampling_rate_hz > 0) || !is_in(c.min_freq_hz, 0, most)) return false;
  if (!(c.max_freq_hz > c.min_freq_hz) || !std::isfinite(c.max_freq_hz + c.sampling_rate_hz))
    return false;
  if (!std::isfinite(c.mag_exp) || !is_in(c.level, 0, 6)) return false;
  if (has_level) {
    if (!is_in(c.min_power, 0, most) || !std::isfinite(c.ref_power)) return false;
    if (c.min_power == 0 && c.ref_power == 0) return false;
    if (!is_in(c.top_db_scope, 0, 2)) return false;
    if (c.top_db_scope != SPECFAST_TOP_DB_NONE && !is_in(c.top_db, 0, most)) return false;
  }
  if (!is_in(c.remove_dc, 0, 1) || !is_in(c.energy, 0, 2)) return false;
  if (c.energy != SPECFAST_ENERGY_NONE && !is_in(c.energy_floor, 0, 1e30)) return false;
  if (!is_in(c.preemphasis_rule, 0, 2)) return false;
  if (!is_in(c.preemphasis, 0, c.preemphasis_rule ? 1 : 0)) return false;
  if (!is_addend(c.power_offset) || !is_in(c.mel_scale, 0, 1)) return false;
  if (!is_in(c.mel_triangles, 0, 1) || !is_in(c.mel_norm, 0, 2)) return false;
  if (!is_in(double(c.num_cepstra), 0, double(c.num_mel_bins))) return false;
  if (!is_in(c.lifter, 0, c.num_cepstra ? 1e30 : 0)) return false;
  if (c.num_cepstra && !is_in(c.dct_is_orthonormal, 0, 1)) return false;
  if (!is_in(c.normalization, 0, 2) || !is_in(c.pcen, 0, 1)) return false;
  if (c.normalization != SPECFAST_NORMALIZATION_NONE &&
      !(is_in(double(c.normalization_ddof), 0, double(kMaxLength)) &&
        is_addend(c.normalization_epsilon)))
    return false;
  if (c.pcen && !(is_in(c.pcen_gain, 0, 1e30) && is_in(c.pcen_smoothing, 0, 1) &&
                  is_in(c.pcen_bias, 1e-30, 1e30) && is_in(c.pcen_power, 1e-30, 1e30) &&
                  is_in(c.pcen_epsilon, 1e-30, 1e30) && !has_level))
    return false;
  return is_in(c.delta_order, 0, 2) &&
         (c.delta_order == 0 || is_in(double(c.delta_window), 1, 1000));
}

bool is_within_bounds(const specfast_config& c) {
  const auto is_count = [](std::int64_t value) {
    return is_in(double(value), 0, double(kMaxLength));
  };
  const bool is_mel = c.mode == SPECFAST_MODE_MEL;
  if (!is_in(c.mode, 0, 7) || !is_in(c.dtype, 0, 1) || !is_in(c.padding, 0, 5)) return false;
  if (!is_in(double(c.frame_length), 1, double(c.fft_length))) return false;
  if (!is_in(double(c.hop), 1, double(kMaxLength)) || !is_count(c.fft_length)) return false;
  if (!is_mel && !is_in(c.epsilon, 0, 1e15)) return false;
  if (c.window && !is_in(c.scaling, 0, 2)) return false;
  if (!is_count(c.pad_length) || !is_in(c.pad_mode, 0, 3)) return false;
  if (c.pad_length > 0 && c.padding != SPECFAST_PADDING_SIDES) return false;
  if (c.frame_span != 0 && !is_in(double(c.frame_span), double(c.frame_length), double(kMaxLength)))
    return false;
  if (!is_count(c.drop_frames) || !is_count(c.masked_frames)) return false;
  if (!is_in(c.pad_value, -1e30, 1e30) || !is_in(c.input_gain, 1e-15, 1e15)) return false;
  return !is_mel || is_mel_within_bounds(c);
}

// Points the member at as many numbers as its length says, or at a single one where that length is
// refused; leaves null what would be too long.
void point(Random& random, const double*& member, double length, bool is_refused,
           std::vector<Buffer>& arrays) {
  if (!random.one_in(4) || (!is_refused && length > double(kMaxValues))) return;
  const std::size_t count = is_refused ? 1 : std::size_t(length);
  arrays.emplace_back(count * sizeof(double));
  double* const values = static_cast<double*>(arrays.back().data());
  Random source = random.another();
  const bool is_odd = random.one_in(4);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = double(source.below(100)) / 50;
    if (is_odd && source.one_in(20)) vary(source, values[i]);
  }
  member = values;
}

specfast_config any_config(Random& random, std::vector<Buffer>& arrays) {
  specfast_config c;
  check("config_init", specfast_config_init(&c, sizeof(c), std::int32_t(random.below(8))), 0);
  c.frame_length = random.between(1, 64);
  c.fft_length = c.frame_length + random.below(64);
  c.hop = random.between(1, 40);
  if (c.num_mel_bins) c.num_mel_bins = random.between(1, 20);
  const auto vary_all = [&](auto&... values) { (vary(random, values), ...); };
  if (random.one_in(4)) vary_all(c.mode, c.dtype, c.frame_length, c.hop, c.fft_length);
  if (random.one_in(2)) vary_all(c.padding, c.scaling, c.epsilon, c.pad_mode, c.pad_length);
  if (random.one_in(3)) vary_all(c.frame_span, c.drop_frames, c.masked_frames, c.pad_value);
  if (random.one_in(3)) vary_all(c.input_gain, c.sampling_rate_hz, c.min_freq_hz, c.max_freq_hz);
  if (random.one_in(3)) vary_all(c.num_mel_bins, c.mag_exp, c.level, c.min_power, c.ref_power);
  if (random.one_in(3)) vary_all(c.top_db_scope, c.top_db, c.remove_dc, c.energy, c.energy_floor);
  if (random.one_in(3)) vary_all(c.preemphasis_rule, c.preemphasis, c.power_offset);
  if (random.one_in(3)) vary_all(c.mel_scale, c.mel_triangles, c.mel_norm, c.num_cepstra);
  if (random.one_in(3)) vary_all(c.dct_is_orthonormal, c.lifter, c.normalization);
  if (random.one_in(3)) vary_all(c.normalization_ddof, c.normalization_epsilon, c.pcen);
  if (random.one_in(3)) vary_all(c.pcen_gain, c.pcen_bias, c.pcen_power, c.pcen_smoothing);
  if (random.one_in(3)) vary_all(c.pcen_epsilon, c.delta_order, c.delta_window);
  // Whether PCEN can stand beside a level is known when the arrays have been read.
  specfast_config without_pcen = c;
  without_pcen.pcen = 0;
  const bool is_refused = !is_within_bounds(without_pcen);
  point(random, c.window, double(c.frame_length), is_refused, arrays);
  if (c.mode != SPECFAST_MODE_MEL) return c;
  const double rows = is_refused ? 1 : double(fuzz::static_rows_of(c));
  point(random, c.row_gain, rows, is_refused, arrays);
  point(random, c.row_offset, rows, is_refused, arrays);
  const double weights = double(c.fft_length / 2 + 1) * double(c.num_mel_bins);
  point(random, c.mel_weights, weights, is_refused, arrays);
  return c;
}

// Every number that a length of a signal can be.
void ask_lengths(Random& random, const Plan& plan) {
  std::int64_t length = random.below(1000);
  vary(random, length);
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, length);
  fuzz::check_number("plan_num_frames", frames, false);
  if (length <= 0 && frames > plan.config.masked_frames + 1)
    broken("plan_num_frames", int(frames), "no frames of no samples");
  fuzz::check_number("plan_num_kept", specfast_plan_num_kept(plan.handle, length), false);
}

void ask_rows(const Plan& plan, std::int64_t rows) {
  if (rows < 1) broken("plan_num_rows", int(rows), "a row");
  if (rows > kMaxValues) return;
  std::vector<double> hz(std::size_t(rows), 0.0);
  check("frequencies", specfast_frequencies(&plan.config, hz.data()), kAnything);
  if (plan.config.mode != SPECFAST_MODE_MEL || plan.config.num_mel_bins > kMaxValues) return;
  std::vector<std::uint8_t> is_empty(std::size_t(plan.config.num_mel_bins));
  check("config_empty_bands", specfast_config_empty_bands(&plan.config, is_empty.data()), kMemory);
}

void compute(Random& random, Plan& plan, std::int64_t rows) {
  const std::int64_t samples = random.below(600);
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, samples);
  if (frames > kMaxValues || frames * rows > kMaxValues) return;
  if (plan.config.fft_length > kMaxValues) return;
  const specfast_status status = specfast_workspace_create(plan.handle, 1, &plan.workspace);
  if (!check("workspace_create", status, kMemory)) return;
  const fuzz::Signals signals(random, 1, samples);
  fuzz::frames_of(plan, signals, 0, 1, nullptr, 0);
}

void stream(Random& random, const Plan& plan) {
  specfast_stream_config config;
  check("stream_config_init", specfast_stream_config_init(&config, sizeof(config)), 0);
  const auto vary_all = [&](auto&... values) { (vary(random, values), ...); };
  vary_all(config.num_channels, config.max_block, config.max_rule, config.max_db);
  vary(random, config.num_samples);
  specfast_stream* handle = nullptr;
  check("stream_create", specfast_stream_create(plan.handle, &handle), 0);
  if (check("stream_prepare", specfast_stream_prepare(handle, &config), kAnything)) {
    fuzz::check_number("stream_latency_samples", specfast_stream_latency_samples(handle), false);
    fuzz::check_number("stream_max_frames", specfast_stream_max_frames(handle), false);
    fuzz::check_number("stream_flush_frames", specfast_stream_flush_frames(handle), false);
    fuzz::check_number("stream_state_bytes", specfast_stream_state_bytes(handle), false);
    fuzz::check_number("stream_num_frames", specfast_stream_num_frames(handle, config.max_block),
                       false);
  }
  specfast_stream_destroy(handle);
}

// The arrays of a configuration that is refused are too short for one that is not.
void invert(Random& random, specfast_config config) {
  if (!is_within_bounds(config)) config.window = nullptr;
  config.mode = random.one_in(8) ? config.mode : SPECFAST_MODE_STFT;
  specfast_inverse_options options = {};
  options.struct_size = sizeof(options);
  vary(random, options.phase_origin);
  vary(random, options.keeps_odd_length);
  specfast_inverse* inverse = nullptr;
  const specfast_status status = specfast_inverse_create(&config, &options, &inverse);
  if (check("inverse_create", status, kAnything)) {
    std::int64_t frames = 3;
    vary(random, frames);
    specfast_inverse_num_samples(inverse, frames);
    const std::int64_t most = specfast_inverse_max_samples(inverse, frames);
    std::int64_t length = most, at_begin = 0, at_end = 0;
    vary(random, length);
    check("inverse_lost_samples",
          specfast_inverse_lost_samples(inverse, frames, length, &at_begin, &at_end), kAnything);
  }
  specfast_inverse_destroy(inverse);
  specfast_griffin_lim_options search = {sizeof(search), 2, 0.5, any_bits(random)};
  vary(random, search.num_iterations);
  vary(random, search.momentum);
  specfast_griffin_lim* griffin_lim = nullptr;
  check("griffin_lim_create", specfast_griffin_lim_create(&config, &search, &griffin_lim),
        kAnything);
  specfast_griffin_lim_destroy(griffin_lim);
}

void ask_tables(Random& random) {
  std::int64_t bands = 10, bins = 20;
  double rate = 8000, low = 0, high = 4000;
  const auto vary_all = [&](auto&... values) { (vary(random, values), ...); };
  vary_all(bands, bins, rate, low, high);
  const bool is_refused = bands < 1 || bands > kMaxBands || bins < 1 || bins > kMaxLength;
  if (!is_refused && (bands > kMaxValues || bins > kMaxValues || bands * bins > kMaxValues)) return;
  std::vector<double> weights(is_refused ? 1 : std::size_t(bands * bins));
  check("mel_weights", specfast_mel_weights(bands, bins, rate, low, high, weights.data()),
        kRefused);
  for (const double weight : weights)
    if (!(weight >= 0)) broken("mel_weights", 0, "weights that are not negative");
  specfast_hertz_to_mel(high);
  const char* const name = specfast_window_name(std::size_t(random.below(20)));
  std::int64_t length = 9;
  vary(random, length);
  if (!name || (length > kMaxValues && length <= kMaxLength)) return;
  std::vector<double> window(std::size_t(std::clamp<std::int64_t>(length, 1, kMaxValues)));
  check("window", specfast_window(name, length, std::int32_t(any_bits(random)), window.data()),
        kRefused);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  const std::size_t most = fuzz::max_bytes.exchange(std::size_t(1) << 20);
  Random random(bytes, num_bytes);
  ask_tables(random);
  std::vector<Buffer> arrays;
  Plan plan;
  plan.config = any_config(random, arrays);
  const specfast_status status = specfast_plan_create(&plan.config, &plan.handle);
  const bool is_possible = is_within_bounds(plan.config);
  if (check("plan_create", status, kAnything, is_possible)) {
    const std::int64_t rows = specfast_plan_num_rows(plan.handle);
    ask_lengths(random, plan);
    ask_rows(plan, rows);
    stream(random, plan);
    compute(random, plan, rows);
  }
  invert(random, plan.config);
  fuzz::max_bytes = most;
  return 0;
}
