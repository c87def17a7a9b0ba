// SPDX-License-Identifier: BSD-3-Clause
#include "plugin.h"

#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "specfast/specfast.hpp"

namespace {

struct Case {
  const char* name;
  specfast_mode mode;
  specfast_dtype dtype;
  std::int64_t frame_length, hop, fft_length;
  specfast_padding padding;
  std::int64_t num_channels, max_block;
  specfast_max_rule max_rule;
  specfast_dtype in_dtype;
  bool trained = false;
  void (*change)(specfast_config&) = nullptr;
};

// Kaldi's MFCC: conditioned frames, the energy of each, cepstra behind a clamp.
void make_cepstra(specfast_config& config) {
  config.remove_dc = 1;
  config.energy = SPECFAST_ENERGY_RAW;
  config.preemphasis_rule = SPECFAST_PREEMPHASIS_FRAME;
  config.preemphasis = 0.97;
  config.num_cepstra = 13;
  config.lifter = 22;
}

// A filtered signal, padding on both sides, frames that are left out.
void filter_signal(specfast_config& config) {
  config.preemphasis_rule = SPECFAST_PREEMPHASIS_SIGNAL;
  config.preemphasis = 0.97;
  config.pad_length = 120;
  config.drop_frames = config.masked_frames = 1;
  config.level = SPECFAST_LEVEL_LN_OF_SUM;
}

void normalize_energies(specfast_config& config) {
  config.level = SPECFAST_LEVEL_ENERGY;
  config.pcen = 1;
}

// Every way to a spectrum that there is: own transform, pocketfft's passes with small and with
// general factors, odd, Bluestein's scheme, beyond the own transform's range; every kind of input
// and rule.
constexpr Case kCases[] = {
    {"mel 400/160, fft 512, running maximum", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512,
     SPECFAST_PADDING_CENTER, 1, 160, SPECFAST_MAX_RUNNING, SPECFAST_FLOAT32},
    {"mel 2048/512, int16, two channels", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 2048, 512, 2048,
     SPECFAST_PADDING_CENTER, 2, 256, SPECFAST_MAX_FIXED, SPECFAST_INT16},
    {"mel 331/100 (prime, Bluestein), float64", SPECFAST_MODE_MEL, SPECFAST_FLOAT64, 331, 100, 331,
     SPECFAST_PADDING_CENTER, 1, 20, SPECFAST_MAX_RUNNING, SPECFAST_FLOAT64},
    {"mel 1021/1500 (prime, gaps)", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 1021, 1500, 1021,
     SPECFAST_PADDING_CENTER, 1, 100, SPECFAST_MAX_NONE, SPECFAST_FLOAT32},
    {"log 448/64 (factor 7)", SPECFAST_MODE_LOG, SPECFAST_FLOAT32, 448, 64, 448,
     SPECFAST_PADDING_VALID, 3, 33, SPECFAST_MAX_NONE, SPECFAST_FLOAT64},
    {"stft 507/50 (odd, wraps)", SPECFAST_MODE_STFT, SPECFAST_FLOAT32, 507, 50, 507,
     SPECFAST_PADDING_SAME, 1, 64, SPECFAST_MAX_NONE, SPECFAST_INT16},
    {"angle 250/125 (2 * 5^3)", SPECFAST_MODE_ANGLE, SPECFAST_FLOAT64, 250, 125, 250,
     SPECFAST_PADDING_VALID, 1, 128, SPECFAST_MAX_NONE, SPECFAST_FLOAT32},
    {"psd 64/1, blocks of many frames", SPECFAST_MODE_PSD, SPECFAST_FLOAT32, 64, 1, 64,
     SPECFAST_PADDING_VALID, 1, 40, SPECFAST_MAX_NONE, SPECFAST_FLOAT32},
    {"magnitude 3001/1000, fft 131072", SPECFAST_MODE_MAGNITUDE, SPECFAST_FLOAT32, 3001, 1000,
     131072, SPECFAST_PADDING_VALID, 1, 8, SPECFAST_MAX_NONE, SPECFAST_FLOAT32},
    {"log 256/128, trained kernels", SPECFAST_MODE_LOG, SPECFAST_FLOAT32, 256, 128, 256,
     SPECFAST_PADDING_VALID, 1, 128, SPECFAST_MAX_NONE, SPECFAST_FLOAT32, true},
    {"mfcc 400/160, running maximum", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512,
     SPECFAST_PADDING_HOPS, 1, 160, SPECFAST_MAX_RUNNING, SPECFAST_FLOAT32, false, make_cepstra},
    {"mel 400/160 of a filtered signal", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 400, 160, 512,
     SPECFAST_PADDING_SIDES, 2, 100, SPECFAST_MAX_NONE, SPECFAST_INT16, false, filter_signal},
    {"pcen 512/256", SPECFAST_MODE_MEL, SPECFAST_FLOAT32, 512, 256, 512, SPECFAST_PADDING_CENTER, 2,
     256, SPECFAST_MAX_NONE, SPECFAST_FLOAT32, false, normalize_energies},
    {"real 2/1", SPECFAST_MODE_REAL, SPECFAST_FLOAT32, 2, 1, 2, SPECFAST_PADDING_VALID, 1, 16,
     SPECFAST_MAX_NONE, SPECFAST_FLOAT32},
};
constexpr int kNumCases = sizeof(kCases) / sizeof(kCases[0]);

// Streams of inverses: the own transform with its fused pass, without it, pocketfft's, Bluestein's,
// phases that begin elsewhere.
struct InverseCase {
  const char* name;
  specfast_dtype dtype;
  std::int64_t frame_length, hop, fft_length;
  specfast_padding padding;
  std::int64_t num_channels, max_frames, phase_origin;
};
constexpr InverseCase kInverseCases[] = {
    {"inverse 2048/512, two channels", SPECFAST_FLOAT32, 2048, 512, 2048, SPECFAST_PADDING_CENTER,
     2, 1, 0},
    {"inverse 240/60, many frames, float64", SPECFAST_FLOAT64, 240, 60, 240,
     SPECFAST_PADDING_CENTER, 1, 40, 120},
    {"inverse 448/64 (factor 7)", SPECFAST_FLOAT32, 448, 64, 448, SPECFAST_PADDING_VALID, 1, 3, 0},
    {"inverse 331/1 (prime, Bluestein)", SPECFAST_FLOAT32, 331, 1, 331, SPECFAST_PADDING_SIDES, 1,
     20, 9},
};
constexpr int kNumInverseCases = sizeof(kInverseCases) / sizeof(kInverseCases[0]);

struct PreparedInverse {
  std::int64_t max_frames;
  std::unique_ptr<specfast::Inverse> inverse;
  std::unique_ptr<specfast::InverseStream> stream;  // null: the case is none of an inverse
  std::vector<double> bins, output;                 // bytes of any dtype
  specfast_spectra spectra;
};
PreparedInverse prepared_inverse;

struct Prepared {
  Case what;
  std::unique_ptr<specfast::Plan> plan;
  std::unique_ptr<specfast::Stream> stream;
  std::vector<double> samples;  // bytes of any dtype
  std::vector<double> output;
  specfast_block block;
};
Prepared prepared;

template <typename T>
void fill_with_noise(std::vector<double>& bytes, double level) {
  std::mt19937 random(1);
  T* const values = reinterpret_cast<T*>(bytes.data());
  for (std::size_t i = 0; i < bytes.size() * sizeof(double) / sizeof(T); ++i)
    values[i] = T(level * (double(random()) / 4294967296.0 - 0.5));
}

void prepare(const Case& what) {
  specfast_config config = specfast::default_config(what.mode);
  config.dtype = what.dtype;
  config.frame_length = what.frame_length;
  config.hop = what.hop;
  config.fft_length = what.fft_length;
  config.padding = what.padding;
  config.num_mel_bins = 40;
  config.top_db_scope =
      what.max_rule == SPECFAST_MAX_NONE ? SPECFAST_TOP_DB_NONE : SPECFAST_TOP_DB_CLIP;
  config.top_db = 40;
  if (what.change) what.change(config);
  const std::vector<double> window = specfast::window("hann", what.frame_length, true);
  config.window = window.data();
  prepared.what = what;
  if (what.trained) {
    const std::vector<float> kernel(std::size_t(what.frame_length * (what.fft_length / 2 + 1)), 1);
    specfast_weights weights = {};
    weights.struct_size = sizeof(weights);
    weights.dtype = SPECFAST_FLOAT32;
    weights.real_kernel = weights.imag_kernel = kernel.data();
    prepared.plan = std::make_unique<specfast::Plan>(config, weights);
  } else {
    prepared.plan = std::make_unique<specfast::Plan>(config);
  }

  specfast_stream_config stream = specfast::default_stream_config();
  stream.num_channels = what.num_channels;
  stream.max_block = what.max_block;
  stream.max_rule = what.max_rule;
  stream.max_db = 20;
  if (what.padding == SPECFAST_PADDING_SAME) stream.num_samples = what.hop;
  prepared.stream = std::make_unique<specfast::Stream>(*prepared.plan, stream);

  prepared.samples.resize(std::size_t(what.num_channels * what.max_block));
  if (what.in_dtype == SPECFAST_FLOAT32) fill_with_noise<float>(prepared.samples, 1);
  if (what.in_dtype == SPECFAST_FLOAT64) fill_with_noise<double>(prepared.samples, 1);
  if (what.in_dtype == SPECFAST_INT16) fill_with_noise<std::int16_t>(prepared.samples, 60000);
  prepared.output.resize(prepared.stream->max_values());

  // Both vectors have room for the widest dtype.
  specfast::Signals signals =
      specfast::interleaved(prepared.samples.data(), what.num_channels, what.max_block);
  signals.dtype = what.in_dtype;
  specfast::Frames frames = what.mode == SPECFAST_MODE_MEL ? specfast::by_row(prepared.output)
                                                           : specfast::by_frame(prepared.output);
  frames.dtype = what.dtype;
  prepared.block = prepared.stream->block_of(signals, frames);
}

void prepare_inverse(const InverseCase& what) {
  specfast_config config = specfast::default_config(SPECFAST_MODE_STFT);
  config.dtype = what.dtype;
  config.frame_length = what.frame_length;
  config.hop = what.hop;
  config.fft_length = what.fft_length;
  config.padding = what.padding;
  specfast_inverse_options options{};
  options.struct_size = sizeof(options);
  options.phase_origin = what.phase_origin;
  options.keeps_odd_length = 1;
  const std::vector<double> window = specfast::window("hamming", what.frame_length, true);
  config.window = window.data();
  PreparedInverse& made = prepared_inverse;
  made.max_frames = what.max_frames;
  made.inverse = std::make_unique<specfast::Inverse>(config, options);
  made.stream = std::make_unique<specfast::InverseStream>(*made.inverse, what.num_channels);
  const std::int64_t num_bins = what.fft_length / 2 + 1;
  const std::int64_t room = what.max_frames * what.hop + what.frame_length;
  made.bins.resize(std::size_t(what.num_channels * what.max_frames * 2 * num_bins));
  made.output.resize(std::size_t(what.num_channels * room));
  if (what.dtype == SPECFAST_FLOAT32) fill_with_noise<float>(made.bins, 1);
  if (what.dtype == SPECFAST_FLOAT64) fill_with_noise<double>(made.bins, 1);
  made.spectra = {};
  made.spectra.struct_size = sizeof(made.spectra);
  made.spectra.real = made.bins.data();
  made.spectra.imag = reinterpret_cast<const unsigned char*>(made.bins.data()) +
                      (what.dtype == SPECFAST_FLOAT32 ? sizeof(float) : sizeof(double));
  made.spectra.num_batches = 1;
  made.spectra.num_channels = what.num_channels;
  made.spectra.channel_stride = what.max_frames * 2 * num_bins;
  made.spectra.frame_stride = 2 * num_bins;
  made.spectra.bin_stride = 2;
  made.spectra.signal = made.output.data();
  made.spectra.num_samples = room;
  made.spectra.signal_channel_stride = room;
  made.spectra.signal_sample_stride = 1;
}

void do_what_is_forbidden(Planted planted) {
  static std::mutex mutex;
  static void* volatile memory;
  if (planted == kAllocation) {
    memory = std::malloc(100);
    std::free(memory);
  }
  if (planted == kLock) const std::lock_guard<std::mutex> lock(mutex);
  if (planted == kSystemCall) getppid();
}

}  // namespace

const char* plugin_unavailable() {
  specfast_build_info info;
  info.struct_size = sizeof(info);
  return specfast_get_build_info(&info) == SPECFAST_E_UNAVAILABLE_ISA ? specfast_last_error()
                                                                      : nullptr;
}

int plugin_num_cases() { return kNumCases + kNumInverseCases; }
const char* plugin_case_name(int index) {
  return index < kNumCases ? kCases[index].name : kInverseCases[index - kNumCases].name;
}

const char* plugin_prepare(int index) {
  try {
    if (index < kNumCases) {
      prepare(kCases[index]);
    } else {
      prepare_inverse(kInverseCases[index - kNumCases]);
    }
    return nullptr;
  } catch (const std::exception&) {
    return specfast_last_error();
  }
}

namespace {

const char* run_inverse(long num_pushes, const Watch& watch) {
  specfast_inverse_stream* const stream = prepared_inverse.stream->get();
  specfast_spectra& spectra = prepared_inverse.spectra;
  std::minstd_rand random(7);
  std::int64_t samples = 0, all_samples = 0;
  specfast_status status = SPECFAST_OK;

  watch.begin();
  for (long i = 0; i < num_pushes && status == SPECFAST_OK; ++i) {
    spectra.num_frames = i % 8 ? prepared_inverse.max_frames
                               : std::int64_t(random()) % (prepared_inverse.max_frames + 1);
    status = specfast_inverse_stream_push(stream, &spectra, &samples);
    all_samples += samples;
    if (status != SPECFAST_OK || i % 1000 != 999) continue;
    status = specfast_inverse_stream_flush(stream, &spectra, &samples);
    if (status == SPECFAST_OK) status = specfast_inverse_stream_reset(stream);
  }
  watch.end();

  if (status != SPECFAST_OK) return specfast_last_error();
  return all_samples > 0 ? nullptr : "no sample came out";
}

}  // namespace

const char* plugin_run(long num_pushes, const Watch& watch, Planted planted) {
  if (prepared_inverse.stream) return run_inverse(num_pushes, watch);
  specfast_stream* const stream = prepared.stream->get();
  specfast_block& block = prepared.block;
  const bool same = prepared.what.padding == SPECFAST_PADDING_SAME;
  std::minstd_rand random(7);
  std::int64_t total = 0, frames = 0, all_frames = 0;
  specfast_status status = SPECFAST_OK;

  watch.begin();
  for (long i = 0; i < num_pushes && status == SPECFAST_OK; ++i) {
    // Mostly whole blocks, now and then any length; the signal ends from time to time.
    block.num_samples =
        i % 8 ? prepared.what.max_block : std::int64_t(random()) % (prepared.what.max_block + 1);
    if (i == num_pushes / 2) do_what_is_forbidden(planted);
    status = specfast_stream_push(stream, &block, &frames);
    all_frames += frames;
    total += block.num_samples;
    if (status != SPECFAST_OK || i % 1000 != 999) continue;
    block.num_samples =
        same ? (prepared.what.hop - total % prepared.what.hop) % prepared.what.hop : 0;
    status = specfast_stream_push(stream, &block, &frames);
    if (status == SPECFAST_OK) status = specfast_stream_flush(stream, &block, &frames);
    if (status == SPECFAST_OK) status = specfast_stream_reset(stream);
    total = 0;
  }
  watch.end();

  if (status != SPECFAST_OK) return specfast_last_error();
  return all_frames > 0 ? nullptr : "no frame came out";
}
