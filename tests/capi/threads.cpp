// SPDX-License-Identifier: BSD-3-Clause
// Sixteen threads on the same plans and inverses, for a build with SPECFAST_SANITIZE=thread.
//
//   capi_threads [NUM_ROUNDS]
//
// All threads begin at once, before anything else of the library has run: what it finds out only
// once is raced for too. Each has its own workspaces, streams and errors; tasks go to a runner that
// starts threads, which takes part in the races where OpenMP's own, not instrumented, would be
// taken for them. Every result must have the bits of the first one. Exit status 0 if all is well.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "harness.h"

namespace {

using fuzz::broken;
using fuzz::Random;

constexpr int kNumThreads = 16;
constexpr std::int64_t kSamples = 20000, kChannels = 2, kFrames = 60;
constexpr std::int64_t kLength = 256, kHop = 100, kBins = kLength / 2 + 1;

// ---- Calls whose results must not depend on what happens meanwhile ------------------------------

enum Result { kFramesOfCall, kFramesOfStream, kSamplesOfCall, kSamplesOfSearch, kGradient };
constexpr int kNumResults = 5;

// What a thread has computed first, with which all that it computes later is compared, and in the
// end that of the others: a lock around it here would order what is to happen at the same time.
class Results {
 public:
  void compare(Result which, const std::vector<float>& values) {
    std::vector<float>& first = first_[which];
    if (first.empty()) first = values;
    if (values.size() != first.size() ||
        !fuzz::have_same_bits(SPECFAST_FLOAT32, values.data(), first.data(),
                              first.size() * sizeof(float)))
      broken("one of sixteen threads", which, "the bits of the first call");
  }
  void compare(const Results& others) {
    for (int which = 0; which < kNumResults; ++which)
      if (!others.first_[which].empty()) compare(Result(which), others.first_[which]);
  }

 private:
  std::vector<float> first_[kNumResults];
};

void run_on_threads(void*, std::int32_t num_tasks, specfast_task task, void* argument) {
  std::vector<std::thread> threads;
  for (std::int32_t index = 1; index < num_tasks; ++index)
    threads.emplace_back([=] { task(argument, index); });
  task(argument, 0);
  for (std::thread& thread : threads) thread.join();
}

// Harness::check keeps a tally, which is not for several threads.
void succeed(const char* function, specfast_status status) {
  if (status != SPECFAST_OK) broken(function, status, "success");
}

// What all threads share, and only read.
struct Shared {
  std::vector<float> signal, spectra;
  specfast_plan* plan = nullptr;         // of levels, clamped to the maximum of the whole batch
  specfast_plan* stream_plan = nullptr;  // without what a stream cannot know
  specfast_inverse* inverse = nullptr;
  specfast_griffin_lim* griffin_lim = nullptr;
  specfast_stream* contended = nullptr;  // on which all threads push
};

specfast_batch batch_of(const Shared& shared, const specfast_plan* plan,
                        std::vector<float>& output) {
  const std::int64_t rows = specfast_plan_num_rows(plan);
  const std::int64_t frames = specfast_plan_num_frames(plan, kSamples);
  output.assign(std::size_t(kChannels * frames * rows), -1.0f);
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.input = shared.signal.data();
  batch.num_batches = 1;
  batch.num_channels = kChannels;
  batch.num_samples = kSamples;
  batch.in_channel_stride = kSamples;
  batch.in_sample_stride = 1;
  batch.output = output.data();
  batch.out_channel_stride = frames * rows;
  batch.out_frame_stride = rows;
  batch.out_row_stride = 1;
  return batch;
}

void execute(Random& random, const Shared& shared, Results& results) {
  specfast_workspace* workspace;
  succeed("workspace_create_with_runner",
          specfast_workspace_create_with_runner(shared.plan, std::int32_t(random.between(1, 3)),
                                                run_on_threads, nullptr, &workspace));
  std::vector<float> output;
  const specfast_batch batch = batch_of(shared, shared.plan, output);
  succeed("execute", specfast_execute(shared.plan, workspace, &batch));
  specfast_workspace_destroy(workspace);
  results.compare(kFramesOfCall, output);
}

void pull_back(Random&, const Shared& shared, Results& results) {
  std::vector<float> output, signal(std::size_t(kChannels * kSamples));
  const specfast_batch batch = batch_of(shared, shared.stream_plan, output);
  std::fill(output.begin(), output.end(), 1.0f);
  specfast_gradient gradient = {};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = output.data();
  gradient.cotangent_row_stride = 1;
  gradient.cotangent_frame_stride = batch.out_frame_stride;
  gradient.cotangent_channel_stride = batch.out_channel_stride;
  gradient.signal = signal.data();
  gradient.signal_channel_stride = kSamples;
  gradient.signal_sample_stride = 1;
  succeed("pull_back", specfast_pull_back(shared.stream_plan, 1, &batch, &gradient));
  results.compare(kGradient, signal);
}

// Pushes pieces of any lengths, or stops where another thread is inside the stream.
void push(Random& random, const Shared& shared, specfast_stream* stream,
          std::vector<float>* joined) {
  const std::int64_t rows = specfast_plan_num_rows(shared.stream_plan);
  for (std::int64_t taken = 0; taken < kSamples;) {
    const std::int64_t count = std::min(kSamples - taken, random.between(1, 4096));
    std::vector<float> output(std::size_t(4200 / kHop * rows * 2));
    specfast_block block = {};
    block.struct_size = sizeof(block);
    block.input = shared.signal.data() + taken;
    block.num_samples = count;
    block.in_sample_stride = 1;
    block.output = output.data();
    block.max_frames = std::int64_t(output.size()) / rows;
    block.out_frame_stride = rows;
    block.out_row_stride = 1;
    std::int64_t frames = 0;
    const specfast_status status = specfast_stream_push(stream, &block, &frames);
    if (!joined) {
      if (status != SPECFAST_OK && status != SPECFAST_E_BUSY)
        broken("stream_push", status, "success, or that it is busy");
      return;
    }
    succeed("stream_push", status);
    joined->insert(joined->end(), output.begin(), output.begin() + frames * rows);
    taken += count;
  }
}

void stream(Random& random, const Shared& shared, Results& results) {
  specfast_stream* own;
  specfast_stream_config config;
  succeed("stream_config_init", specfast_stream_config_init(&config, sizeof(config)));
  succeed("stream_create", specfast_stream_create(shared.stream_plan, &own));
  succeed("stream_prepare", specfast_stream_prepare(own, &config));
  std::vector<float> joined;
  push(random, shared, own, &joined);
  specfast_stream_destroy(own);
  results.compare(kFramesOfStream, joined);
}

void contend(Random& random, const Shared& shared, Results&) {
  push(random, shared, shared.contended, nullptr);
}

void invert(Random& random, const Shared& shared, Results& results) {
  specfast_workspace* workspace;
  succeed("inverse_workspace_create",
          specfast_inverse_workspace_create(shared.inverse, std::int32_t(random.between(1, 3)),
                                            run_on_threads, nullptr, &workspace));
  specfast_spectra spectra = {};
  spectra.struct_size = sizeof(spectra);
  spectra.real = shared.spectra.data();
  spectra.imag = shared.spectra.data() + kBins;
  spectra.num_batches = spectra.num_channels = 1;
  spectra.num_frames = kFrames;
  spectra.frame_stride = 2 * kBins;
  spectra.bin_stride = 1;
  spectra.num_samples = specfast_inverse_num_samples(shared.inverse, kFrames);
  std::vector<float> signal(std::size_t(spectra.num_samples));
  spectra.signal = signal.data();
  spectra.signal_sample_stride = 1;
  succeed("inverse_execute", specfast_inverse_execute(shared.inverse, workspace, &spectra));
  specfast_workspace_destroy(workspace);
  results.compare(kSamplesOfCall, signal);
}

void search(Random&, const Shared& shared, Results& results) {
  std::vector<float> magnitudes(std::size_t(kFrames * kBins));
  for (std::size_t i = 0; i < magnitudes.size(); ++i) magnitudes[i] = float(i % 7);
  specfast_magnitudes arrays = {};
  arrays.struct_size = sizeof(arrays);
  arrays.magnitudes = magnitudes.data();
  arrays.num_batches = arrays.num_channels = 1;
  arrays.num_frames = kFrames;
  arrays.frame_stride = kBins;
  arrays.bin_stride = 1;
  arrays.num_samples =
      specfast_inverse_num_samples(specfast_griffin_lim_inverse(shared.griffin_lim), kFrames);
  std::vector<float> signal(std::size_t(arrays.num_samples));
  arrays.signal = signal.data();
  arrays.signal_sample_stride = 1;
  succeed("griffin_lim_execute", specfast_griffin_lim_execute(shared.griffin_lim, 1, &arrays));
  results.compare(kSamplesOfSearch, signal);
}

// The message of a failure is this thread's own.
void fail(Random& random, const Shared&, Results&) {
  specfast_config config;
  succeed("config_init", specfast_config_init(&config, sizeof(config), SPECFAST_MODE_LOG));
  config.hop = -random.between(1, 1000000);
  specfast_plan* plan;
  const specfast_status status = specfast_plan_create(&config, &plan);
  const std::string message = specfast_last_error();
  if (status != SPECFAST_E_INVALID_ARGUMENT ||
      message.find(std::to_string(config.hop)) == std::string::npos)
    broken("plan_create", status, "the message of this thread");
}

void ask(Random& random, const Shared&, Results&) {
  specfast_build_info info = {};
  info.struct_size = sizeof(info);
  succeed("get_build_info", specfast_get_build_info(&info));
  succeed("set_num_threads", specfast_set_num_threads(std::int32_t(random.below(4))));
  if (specfast_num_threads() < 1) broken("num_threads", 0, "a thread");
}

// ---- The threads --------------------------------------------------------------------------------

specfast_config config_of(std::int32_t mode) {
  specfast_config config;
  succeed("config_init", specfast_config_init(&config, sizeof(config), mode));
  config.frame_length = config.fft_length = kLength;
  config.hop = kHop;
  config.window = nullptr;
  if (mode == SPECFAST_MODE_MEL) config.num_mel_bins = 20;
  if (mode == SPECFAST_MODE_STFT) config.padding = SPECFAST_PADDING_CENTER;
  return config;
}

// Makes what is shared, in one of the threads while others make plans of their own.
void make(Shared& shared) {
  Random random(1);
  shared.signal.resize(std::size_t(kChannels * kSamples));
  shared.spectra.resize(std::size_t(kFrames * 2 * kBins));
  for (float& value : shared.signal) value = float(random.between(-1000, 1000)) / 1000;
  for (float& value : shared.spectra) value = float(random.between(-1000, 1000)) / 1000;
  const specfast_config mel = config_of(SPECFAST_MODE_MEL), psd = config_of(SPECFAST_MODE_PSD);
  const specfast_config stft = config_of(SPECFAST_MODE_STFT);
  succeed("plan_create", specfast_plan_create(&mel, &shared.plan));
  succeed("plan_create", specfast_plan_create(&psd, &shared.stream_plan));
  succeed("inverse_create", specfast_inverse_create(&stft, nullptr, &shared.inverse));
  const specfast_griffin_lim_options options = {sizeof(options), 3, 0.9, 1};
  succeed("griffin_lim_create", specfast_griffin_lim_create(&stft, &options, &shared.griffin_lim));
  succeed("stream_create", specfast_stream_create(shared.stream_plan, &shared.contended));
  specfast_stream_config config;
  succeed("stream_config_init", specfast_stream_config_init(&config, sizeof(config)));
  succeed("stream_prepare", specfast_stream_prepare(shared.contended, &config));
}

void destroy(Shared& shared) {
  specfast_stream_destroy(shared.contended);
  specfast_griffin_lim_destroy(shared.griffin_lim);
  specfast_inverse_destroy(shared.inverse);
  specfast_plan_destroy(shared.stream_plan);
  specfast_plan_destroy(shared.plan);
}

using Call = void (*)(Random&, const Shared&, Results&);
constexpr Call kCalls[] = {execute, execute, pull_back, stream, stream,
                           contend, invert,  search,    fail,   ask};

}  // namespace

// Takes the place of what memory.cpp has.
void* fuzz::allocate_aligned(std::size_t bytes, std::size_t) { return ::operator new(bytes); }

int main(int argc, char** argv) {
  const int num_rounds = argc > 1 ? std::atoi(argv[1]) : 40;
  Shared shared;
  std::atomic<int> num_waiting{kNumThreads};
  std::atomic<bool> is_made{false};
  std::vector<Results> results(kNumThreads);
  const auto work = [&](int number) {
    Random random{std::uint64_t(number)};
    for (--num_waiting; num_waiting > 0;) std::this_thread::yield();
    if (number == 0) {
      make(shared);
      is_made = true;
    }
    while (!is_made) {  // the first plans of the process, all at once
      const specfast_config config = config_of(SPECFAST_MODE_MEL);
      specfast_plan* plan;
      succeed("plan_create", specfast_plan_create(&config, &plan));
      specfast_plan_destroy(plan);
    }
    for (int round = 0; round < num_rounds; ++round)
      random.of(kCalls)(random, shared, results[std::size_t(number)]);
  };
  std::vector<std::thread> threads;
  for (int number = 0; number < kNumThreads; ++number) threads.emplace_back(work, number);
  for (std::thread& thread : threads) thread.join();
  destroy(shared);
  for (Results& others : results) results[0].compare(others);
  std::printf("%d threads, %d calls each: the same bits\n", kNumThreads, num_rounds);
}
