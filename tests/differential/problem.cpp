// SPDX-License-Identifier: BSD-3-Clause
#include "problem.h"

#include <algorithm>
#include <sstream>

#include "check.h"
#include "random.h"

namespace differential {
namespace {

// ---- Lengths and windows -----------------------------------------------------------------------

std::int64_t largest_prime_below(std::int64_t limit) {
  for (std::int64_t number = limit; number > 2; --number) {
    bool is_prime = true;
    for (std::int64_t factor = 2; factor * factor <= number && is_prime; ++factor)
      is_prime = number % factor != 0;
    if (is_prime) return number;
  }
  return 2;
}

std::int64_t smooth_below(std::int64_t limit, Random& random) {
  std::int64_t length = 1;
  while (true) {
    const std::int64_t next = length * random.pick<std::int64_t>({2, 2, 2, 3, 3, 5, 7, 11});
    if (next > limit) return length;
    length = next;
  }
}

// Small lengths are as frequent as large ones.
std::int64_t draw_length(std::int64_t least, std::int64_t most, Random& random) {
  std::int64_t octaves = 0;
  while (most >> (octaves + 1) >= least) ++octaves;
  const std::int64_t limit = std::max(least, most >> random.between(0, octaves));
  const std::int64_t any = random.between(least, limit);
  switch (random.between(0, 3)) {
    case 0: {
      std::int64_t power = 1;
      while (power * 2 <= any) power *= 2;
      return std::max(least, power);
    }
    case 1:
      return std::max(least, largest_prime_below(any));
    case 2:
      return std::max(least, smooth_below(limit, random));
    default:
      return any;
  }
}

std::vector<double> draw_window(std::int64_t length, Random& random) {
  if (random.one_in(6)) return {};
  std::vector<double> window(static_cast<std::size_t>(length));
  if (length < 4 || random.one_in(6)) {
    for (double& value : window) value = double(random.between(1, 1000)) / 1000;
    return window;
  }
  const char* const name =
      random.pick({"hann", "hamming", "blackman", "nuttall", "flattop", "povey", "cosine",
                   "bartlett", "parzen", "tukey", "lanczos", "bohman"});
  const specfast_status status =
      specfast_window(name, length, std::int32_t(random.between(0, 1)), window.data());
  // Not every name is one of a window without a parameter.
  if (status == SPECFAST_E_UNKNOWN_WINDOW) return {};
  check(status);
  return window;
}

// ---- What all configurations have --------------------------------------------------------------

void draw_padding(Problem& problem, Random& random) {
  specfast_config& config = problem.config;
  config.padding = std::int32_t(random.between(0, 5));
  const bool reflects = config.padding == SPECFAST_PADDING_CENTER ||
                        config.padding == SPECFAST_PADDING_SIDES ||
                        config.padding == SPECFAST_PADDING_HOPS;
  config.pad_mode =
      reflects ? std::int32_t(random.between(0, 3)) : std::int32_t(SPECFAST_PAD_REFLECT);
  config.pad_length = 0;
  if (config.padding == SPECFAST_PADDING_SIDES)
    config.pad_length = random.between(0, config.fft_length);
  const bool may_span =
      config.padding == SPECFAST_PADDING_VALID || config.padding == SPECFAST_PADDING_SIDES;
  if (may_span && random.one_in(3))
    config.frame_span = config.frame_length + random.between(0, config.frame_length);
  if (random.one_in(6)) config.drop_frames = random.between(1, 2);
  if (random.one_in(6)) {
    config.masked_frames = random.between(1, 2);
    config.pad_value = random.noise();
  }
}

void draw_signal(Problem& problem, std::int64_t num_frames, Random& random) {
  const specfast_config& config = problem.config;
  problem.shape = random.pick(
      {Shape::kNoise, Shape::kNoise, Shape::kSilences, Shape::kSawtooth, Shape::kDecay});
  problem.num_samples = config.fft_length + config.frame_length + config.hop * num_frames +
                        random.between(0, config.hop);
  if (random.one_in(3)) problem.num_batches = 2;
  if (random.one_in(3)) problem.num_channels = random.between(2, 3);
  problem.is_interleaved = random.one_in(3);
  problem.is_transposed = random.one_in(3);
  problem.in_dtype =
      random.pick({SPECFAST_FLOAT32, SPECFAST_FLOAT32, SPECFAST_FLOAT64, SPECFAST_INT16});
  if (problem.in_dtype == SPECFAST_INT16) problem.in_scale = random.one_in(2) ? 1.0 / 32768 : 0;
}

Problem draw_any(std::int32_t mode, std::int64_t largest, Random& random) {
  Problem problem;
  check(specfast_config_init(&problem.config, sizeof(problem.config), mode));
  specfast_config& config = problem.config;
  const bool is_mel = mode == SPECFAST_MODE_MEL;
  config.dtype = random.pick({SPECFAST_FLOAT32, SPECFAST_FLOAT64});
  config.fft_length = draw_length(is_mel ? 1 : 2, largest, random);
  config.frame_length = random.one_in(2) ? config.fft_length : random.between(1, config.fft_length);
  config.hop = random.between(std::max<std::int64_t>(1, config.frame_length / 8),
                              std::max<std::int64_t>(1, config.frame_length * 5 / 4));
  problem.window = draw_window(config.frame_length, random);
  config.scaling = std::int32_t(random.between(0, 2));
  draw_padding(problem, random);
  if (random.one_in(6)) config.input_gain = random.pick({0.5, 3.0, 32768.0});
  draw_signal(problem, random.between(1, 24), random);
  return problem;
}

// ---- Mel spectrograms --------------------------------------------------------------------------

Problem draw_mel(std::int64_t largest, Random& random) {
  Problem problem = draw_any(SPECFAST_MODE_MEL, largest, random);
  specfast_config& config = problem.config;
  config.sampling_rate_hz = random.pick({8000.0, 16000.0, 44100.0});
  config.min_freq_hz = random.pick({0.0, 20.0, 100.0});
  config.max_freq_hz = config.sampling_rate_hz / 2 - random.pick({0.0, 0.0, 400.0});
  config.num_mel_bins = random.between(1, 80);
  config.mag_exp = random.pick({2.0, 2.0, 1.0, 3.0, 0.5});
  config.level = SPECFAST_LEVEL_ENERGY;
  config.top_db_scope = SPECFAST_TOP_DB_NONE;
  config.mel_scale = std::int32_t(random.between(0, 1));
  config.mel_triangles = std::int32_t(random.between(0, 1));
  config.mel_norm = std::int32_t(random.between(0, 2));
  if (random.one_in(5)) config.power_offset = 1e-6;
  const std::int64_t num_weights = (config.fft_length / 2 + 1) * config.num_mel_bins;
  if (num_weights < 20000 && random.one_in(6)) {
    problem.mel_weights.resize(static_cast<std::size_t>(num_weights));
    for (double& weight : problem.mel_weights)
      weight = random.one_in(3) ? double(random.between(0, 1000)) / 1000 : 0;
  }
  return problem;
}

void draw_level(Problem& problem, Random& random) {
  specfast_config& config = problem.config;
  config.level = std::int32_t(random.between(1, 6));
  config.min_power = random.pick({1e-10, 1e-5, 1e-3});
  config.ref_power = random.pick({1.0, 1.0, 0.25, 1000.0});
}

void draw_top_db(Problem& problem, Random& random) {
  problem.config.top_db_scope = random.pick({SPECFAST_TOP_DB_BATCH, SPECFAST_TOP_DB_CLIP});
  problem.config.top_db = random.pick({2.0, 8.0, 15.0, 30.0});
}

void draw_conditioning(Problem& problem, Random& random) {
  specfast_config& config = problem.config;
  config.remove_dc = std::int32_t(random.between(0, 1));
  if (random.one_in(2)) config.energy = std::int32_t(random.between(1, 2));
  config.preemphasis_rule = std::int32_t(random.between(0, 2));
  if (config.preemphasis_rule) config.preemphasis = random.pick({0.97, 0.5, 1.0});
}

void draw_rows(Problem& problem, Random& random) {
  specfast_config& config = problem.config;
  if (random.one_in(2)) {
    config.num_cepstra = random.between(1, config.num_mel_bins);
    config.dct_is_orthonormal = std::int32_t(random.between(0, 1));
    if (random.one_in(2)) config.lifter = random.pick({22.0, 5.5});
  }
  if (random.one_in(3)) return;
  const std::int64_t num_rows = config.num_cepstra > 0
                                    ? config.num_cepstra
                                    : config.num_mel_bins + (config.energy != SPECFAST_ENERGY_NONE);
  problem.row_gain = random.noise(num_rows);
  problem.row_offset = random.noise(num_rows);
}

Problem draw_front_end(std::int64_t largest, Random& random) {
  Problem problem = draw_mel(largest, random);
  draw_level(problem, random);
  draw_conditioning(problem, random);
  draw_rows(problem, random);
  return problem;
}

void draw_pcen(Problem& problem, Random& random) {
  specfast_config& config = problem.config;
  config.pcen = 1;
  config.pcen_gain = random.pick({0.98, 0.5, 0.0});
  config.pcen_bias = random.pick({2.0, 0.1});
  config.pcen_power = random.pick({0.5, 0.25, 1.0});
  config.pcen_smoothing = random.pick({0.025, 0.5, 1.0});
}

Problem draw_pcen(Random& random) {
  Problem problem = draw_mel(1024, random);
  draw_pcen(problem, random);
  return problem;
}

Problem draw_statistics(Random& random) {
  Problem problem = draw_front_end(1024, random);
  specfast_config& config = problem.config;
  config.normalization = std::int32_t(random.between(0, 2));
  config.normalization_ddof = random.between(0, 1);
  config.normalization_epsilon = random.pick({1e-5, 1e-3});
  config.delta_order = std::int32_t(random.between(config.normalization ? 0 : 1, 2));
  config.delta_window = random.between(1, 3);
  return problem;
}

// ---- Groups ------------------------------------------------------------------------------------

Problem draw_spectrum(Random& random) {
  return draw_any(random.pick({SPECFAST_MODE_REAL, SPECFAST_MODE_IMAG, SPECFAST_MODE_STFT,
                               SPECFAST_MODE_STFT, SPECFAST_MODE_MAGNITUDE}),
                  4096, random);
}

Problem draw_power(Random& random) { return draw_any(SPECFAST_MODE_PSD, 4096, random); }
Problem draw_logarithm(Random& random) { return draw_any(SPECFAST_MODE_LOG, 4096, random); }
Problem draw_angle(Random& random) { return draw_any(SPECFAST_MODE_ANGLE, 2048, random); }
Problem draw_energies(Random& random) { return draw_mel(4096, random); }

Problem draw_levels(Random& random) {
  Problem problem = draw_mel(2048, random);
  draw_level(problem, random);
  if (random.one_in(2)) draw_top_db(problem, random);
  return problem;
}

Problem draw_conditioned(Random& random) { return draw_front_end(1024, random); }

Problem draw_stream(Random& random) {
  Problem problem;
  switch (random.between(0, 3)) {
    case 0:
      problem = draw_any(std::int32_t(random.between(0, SPECFAST_MODE_PSD)), 2048, random);
      break;
    case 1:
      problem = draw_levels(random);
      break;
    case 2:
      problem = draw_pcen(random);
      break;
    default:
      problem = draw_front_end(1024, random);
  }
  problem.kind = Kind::kStream;
  problem.num_batches = 1;
  return problem;
}

Problem draw_gradient(Random& random) {
  Problem problem = random.one_in(2)
                        ? draw_any(std::int32_t(random.between(0, SPECFAST_MODE_PSD)), 1024, random)
                        : random.pick({draw_mel, draw_front_end})(512, random);
  problem.kind = Kind::kGradient;
  problem.in_scale = 0;
  return problem;
}

Problem draw_trained(Random& random) {
  Problem problem = draw_any(std::int32_t(random.between(0, SPECFAST_MODE_PSD)), 200, random);
  // The phase of a single sample is its sign, and has no gradient to speak of.
  while (problem.config.frame_length < 4)
    problem = draw_any(std::int32_t(random.between(0, SPECFAST_MODE_PSD)), 200, random);
  problem.kind = Kind::kTrained;
  problem.in_scale = 0;
  problem.config.input_gain = 1;
  return problem;
}

// Windows and hops that lose no samples.
Problem draw_inverse(std::int64_t largest, Random& random) {
  Problem problem;
  check(specfast_config_init(&problem.config, sizeof(problem.config), SPECFAST_MODE_STFT));
  specfast_config& config = problem.config;
  config.dtype = random.pick({SPECFAST_FLOAT32, SPECFAST_FLOAT64});
  config.frame_length = draw_length(8, largest, random);
  // An odd fft_length of the frame's own would leave a point less than samples.
  const std::int64_t least = config.frame_length + config.frame_length % 2;
  config.fft_length = least + (random.one_in(2) ? 0 : random.between(0, 40));
  config.hop = std::max<std::int64_t>(1, config.frame_length / random.between(2, 8));
  problem.window.resize(static_cast<std::size_t>(config.frame_length));
  check(specfast_window(random.pick({"hann", "hamming"}), config.frame_length, 1,
                        problem.window.data()));
  config.scaling = std::int32_t(random.between(0, 2));
  config.padding = random.pick({SPECFAST_PADDING_VALID, SPECFAST_PADDING_CENTER,
                                SPECFAST_PADDING_END, SPECFAST_PADDING_HOPS});
  problem.num_frames = random.between(1, 24);
  problem.num_batches = random.between(1, 2);
  problem.inverse_options.struct_size = sizeof(problem.inverse_options);
  if (random.one_in(3)) problem.inverse_options.phase_origin = config.frame_length / 2;
  problem.inverse_options.keeps_odd_length = std::int32_t(random.between(0, 1));
  problem.kind = Kind::kInverse;
  return problem;
}

Problem draw_inverse(Random& random) { return draw_inverse(2048, random); }

Problem draw_inverse_gradient(Random& random) {
  Problem problem = draw_inverse(1024, random);
  problem.kind = Kind::kInverseGradient;
  return problem;
}

Problem draw_griffin_lim(Random& random) {
  Problem problem = draw_inverse(512, random);
  problem.num_frames = random.between(8, 24);
  problem.num_iterations = random.between(1, 4);
  problem.kind = Kind::kGriffinLim;
  return problem;
}

Problem draw_unmix(Random& random) {
  Problem problem = draw_mel(512, random);
  problem.num_frames = random.between(1, 40);
  problem.num_iterations = random.between(1, 32);
  problem.kind = Kind::kUnmix;
  return problem;
}

Problem draw_tables(Random& random) {
  Problem problem = draw_mel(512, random);
  problem.config.dtype = SPECFAST_FLOAT64;
  problem.kind = Kind::kTables;
  return problem;
}

struct Group {
  const char* name;
  Problem (*draw)(Random&);
};

constexpr Group kGroups[] = {{"spectra", draw_spectrum},
                             {"powers", draw_power},
                             {"logarithms", draw_logarithm},
                             {"angles", draw_angle},
                             {"mel energies", draw_energies},
                             {"mel levels", draw_levels},
                             {"front ends", draw_conditioned},
                             {"PCEN", draw_pcen},
                             {"statistics, deltas", draw_statistics},
                             {"streams", draw_stream},
                             {"gradients", draw_gradient},
                             {"trained kernels", draw_trained},
                             {"inverses, streams", draw_inverse},
                             {"inverse gradients", draw_inverse_gradient},
                             {"Griffin-Lim", draw_griffin_lim},
                             {"bins of bands", draw_unmix},
                             {"tables", draw_tables}};

}  // namespace

specfast_config Problem::settings(std::int32_t dtype) const {
  specfast_config settings = config;
  settings.dtype = dtype;
  const auto array = [](const std::vector<double>& values) {
    return values.empty() ? nullptr : values.data();
  };
  settings.window = array(window);
  settings.mel_weights = array(mel_weights);
  settings.row_gain = array(row_gain);
  settings.row_offset = array(row_offset);
  return settings;
}

bool Problem::is_linear() const {
  return kind == Kind::kExecute &&
         (config.mode <= SPECFAST_MODE_STFT || config.mode == SPECFAST_MODE_MAGNITUDE);
}

std::string Problem::describe() const {
  std::ostringstream text;
  text << group << ", " << specfast_mode_name(config.mode)
       << (config.dtype == SPECFAST_FLOAT32 ? " float32" : " float64") << ", frame_length "
       << config.frame_length << ", fft_length " << config.fft_length << ", hop " << config.hop
       << ", seed " << seed;
  return text.str();
}

std::int64_t num_groups() { return std::int64_t(std::size(kGroups)); }

Problem draw(std::uint64_t seed, std::int64_t index) {
  const Group& group = kGroups[index % num_groups()];
  Random random(Random(seed + std::uint64_t(index)).next());
  const std::uint64_t own_seed = random.next();
  Problem problem = group.draw(random);
  problem.group = group.name;
  problem.seed = own_seed;
  return problem;
}

}  // namespace differential
