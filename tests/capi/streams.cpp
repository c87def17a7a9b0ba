// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <atomic>
#include <thread>

#include "harness.h"

namespace fuzz {
namespace {

constexpr std::size_t kMaxCompared = std::size_t(1) << 20;
constexpr std::int64_t kMaxValues = std::int64_t(1) << 20;

struct Stream {
  Plan* plan;
  specfast_stream* handle = nullptr;
  specfast_stream_config config;
  bool prepared = false, finished = false;
  std::vector<std::vector<double>> signal;         // [channel][sample], as pushed
  std::vector<std::vector<unsigned char>> frames;  // [channel][frame][row]
  std::vector<unsigned char> state;
  bool compared = true;  // whether `signal` and `frames` are whole; they are given up when too long
  ~Stream() { specfast_stream_destroy(handle); }
};

std::vector<std::unique_ptr<Stream>> streams;

void create_stream(Random& random, const std::vector<std::unique_ptr<Plan>>& plans) {
  auto stream = std::make_unique<Stream>();
  stream->plan = plans[std::size_t(random.below(std::int64_t(plans.size())))].get();
  refused("stream_create", specfast_stream_create(nullptr, &stream->handle));
  refused("stream_create", specfast_stream_create(stream->plan->handle, nullptr));
  check("stream_create", specfast_stream_create(stream->plan->handle, &stream->handle), 0);
  specfast_stream_destroy(nullptr);
  streams.push_back(std::move(stream));
}

void begin_signal(Stream& stream) {
  stream.finished = false;
  stream.compared = true;
  stream.signal.assign(std::size_t(stream.config.num_channels), {});
  stream.frames.assign(std::size_t(stream.config.num_channels), {});
}

void prepare(Random& random, Stream& stream) {
  bool spoiled;
  const specfast_stream_config config = stream_config(random, stream.plan->config, &spoiled);
  if (random.one_in(20)) {
    refused("stream_prepare", specfast_stream_prepare(nullptr, &config));
    refused("stream_prepare", specfast_stream_prepare(stream.handle, nullptr));
    return;
  }
  const bool starved = random.one_in(10);
  if (starved) allocations_left = random.below(8);
  const specfast_status status = specfast_stream_prepare(stream.handle, &config);
  allocations_left = -1;
  if (!check("stream_prepare", status, kMemory | (spoiled ? kRefused : 0), !spoiled)) return;
  stream.prepared = true;
  stream.config = config;
  stream.state.clear();
  begin_signal(stream);
}

void ask(Random& random, Stream& stream) {
  const bool may_fail = !stream.prepared;
  check_number("stream_latency_samples", specfast_stream_latency_samples(stream.handle), may_fail);
  check_number("stream_flush_frames", specfast_stream_flush_frames(stream.handle), may_fail);
  check_number("stream_max_frames", specfast_stream_max_frames(stream.handle), may_fail);
  check_number("stream_state_bytes", specfast_stream_state_bytes(stream.handle), may_fail);
  constexpr std::int64_t kBad[] = {-1, INT64_MAX, INT64_MIN, 401};
  if (specfast_stream_num_frames(stream.handle, random.of(kBad)) != -1 ||
      specfast_stream_num_frames(nullptr, 1) != -1 || specfast_stream_max_frames(nullptr) != -1 ||
      specfast_stream_latency_samples(nullptr) != -1)
    broken("stream_num_frames", 0, "-1");
  count("stream_num_frames", -1);
}

// The frames of the whole signal by one call must be those that the stream gave.
void compare_with_one_call(const Stream& stream) {
  const Plan& plan = *stream.plan;
  const std::int64_t samples = std::int64_t(stream.signal[0].size());
  const std::int64_t frames = specfast_plan_num_frames(plan.handle, samples);
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::size_t bytes = std::size_t(frames * rows) * bytes_of(plan.config.dtype);
  if (!plan.workspace || stream.config.max_rule != SPECFAST_MAX_NONE) return;
  for (std::size_t channel = 0; channel < stream.signal.size(); ++channel) {
    const Buffer output(bytes);
    specfast_batch batch = {};
    batch.struct_size = sizeof(batch);
    batch.input = stream.signal[channel].data();
    batch.in_dtype = SPECFAST_FLOAT64;
    batch.num_batches = batch.num_channels = 1;
    batch.num_samples = samples;
    batch.in_sample_stride = 1;
    batch.output = output.data();
    batch.out_frame_stride = rows;
    batch.out_row_stride = 1;
    check("execute", specfast_execute(plan.handle, plan.workspace, &batch), 0);
    const std::vector<unsigned char>& given = stream.frames[channel];
    if (given.size() != bytes ||
        !have_same_bits(plan.config.dtype, given.data(), output.data(), bytes))
      broken("stream_flush", 0, "the frames of one call");
  }
  count("(compared with one call)", 0);
}

// Spoils a block; false if the library cannot see it in this one.
bool spoil(Random& random, const Stream& stream, bool flush, std::int64_t frames,
           specfast_block& block) {
  switch (random.below(9)) {
    case 0:
      block.struct_size = random.bad_size(sizeof(block));
      return true;
    case 1:
      block.max_frames = -1;
      return true;
    case 2:
      block.max_frames = frames - 1;
      return true;  // -1 or too few
    case 3:
      block.output = nullptr;
      return frames > 0;
    case 4:
      block.output = static_cast<unsigned char*>(block.output) + 1;
      return frames > 0;
    case 5:
      block.out_row_stride = INT64_MIN;
      block.out_frame_stride = INT64_MAX;
      return frames > 1 || (frames > 0 && specfast_plan_num_rows(stream.plan->handle) > 1);
    case 6:
      block.num_samples = random.one_in(2) ? stream.config.max_block + 1 : -1;
      return !flush;
    case 7:
      block.in_dtype = random.bad_enum();
      return !flush;
    default:
      if (random.one_in(2)) {
        block.input = nullptr;
      } else {
        block.in_sample_stride = INT64_MAX;
      }
      return !flush && block.num_samples > 2;
  }
}

void push_or_flush(Random& random, Stream& stream, bool flush) {
  const char* const function = flush ? "stream_flush" : "stream_push";
  const auto call = flush ? specfast_stream_flush : specfast_stream_push;
  std::int64_t given = -5;
  specfast_block block = {};
  block.struct_size = sizeof(block);
  if (!stream.prepared || stream.finished) {
    refused(function, call(stream.handle, &block, &given));
    if (given != 0) broken(function, 0, "no frames");
    return;
  }
  if (random.one_in(100)) {
    refused(function, call(nullptr, &block, &given));
    refused(function, call(stream.handle, nullptr, &given));
    refused(function, call(stream.handle, &block, nullptr));
    return;
  }
  const std::int64_t channels = stream.config.num_channels;
  const std::int64_t most = stream.config.max_block,
                     rows = specfast_plan_num_rows(stream.plan->handle);
  block.num_samples = flush ? 0 : random.one_in(3) ? most : random.between(0, most);
  block.in_dtype = std::int32_t(random.below(3));
  const auto announced = [&] {
    return flush ? specfast_stream_flush_frames(stream.handle)
                 : specfast_stream_num_frames(stream.handle, block.num_samples);
  };
  const std::int64_t most_values = std::min(kMaxValues, limits.max_values);
  while (!flush && announced() * channels * rows > most_values) block.num_samples /= 2;
  const std::int64_t frames = announced();
  const bool interleaved = random.one_in(2);
  block.in_channel_stride = interleaved ? 1 : block.num_samples;
  block.in_sample_stride = interleaved ? channels : 1;
  if (frames < 0 || frames > specfast_stream_max_frames(stream.handle))
    broken("stream_num_frames", int(frames), "no more than max_frames");
  const std::size_t out_bytes = bytes_of(stream.plan->config.dtype);
  const std::size_t in_count = std::size_t(channels * block.num_samples);
  const Buffer input(in_count * bytes_of(block.in_dtype));
  const Buffer output(std::size_t(channels * frames * rows) * out_bytes);
  fill(random, input.data(), block.in_dtype, std::int64_t(in_count));
  block.input = input.data();
  block.output = output.data();
  block.max_frames = frames;
  block.out_channel_stride = frames * rows;
  block.out_frame_stride = rows;
  block.out_row_stride = 1;

  specfast_block spoiled = block;
  if (random.one_in(4) && spoil(random, stream, flush, frames, spoiled)) {
    refused(function, call(stream.handle, &spoiled, &given));
    if (given != 0) broken(function, 0, "no frames");
    return;
  }
  // With padding "same" the signal may end where it must not.
  const bool may_refuse = flush && stream.plan->config.padding == SPECFAST_PADDING_SAME;
  if (!check(function, call(stream.handle, &block, &given), may_refuse ? kRefused : 0)) return;
  if (given != frames) broken(function, 0, "as many frames as were announced");
  stream.finished = flush;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t s = 0; s < block.num_samples; ++s) {
      const std::int64_t at = channel * block.in_channel_stride + s * block.in_sample_stride;
      const double value =
          block.in_dtype == SPECFAST_FLOAT64   ? static_cast<const double*>(block.input)[at]
          : block.in_dtype == SPECFAST_FLOAT32 ? double(static_cast<const float*>(block.input)[at])
                                               : double(static_cast<const short*>(block.input)[at]);
      stream.signal[std::size_t(channel)].push_back(value);
    }
    const std::size_t size = std::size_t(frames * rows) * out_bytes;
    const unsigned char* const from =
        static_cast<const unsigned char*>(block.output) + std::size_t(channel) * size;
    std::vector<unsigned char>& all = stream.frames[std::size_t(channel)];
    if (all.size() + size > kMaxCompared) stream.compared = false;
    if (size > 0 && stream.compared) all.insert(all.end(), from, from + size);
  }
  if (flush && stream.compared) compare_with_one_call(stream);
}

void reset(Stream& stream) {
  check("stream_reset", specfast_stream_reset(stream.handle), stream.prepared ? 0 : kRefused,
        stream.prepared);
  if (stream.prepared) begin_signal(stream);
}

void save_or_load(Random& random, Stream& stream) {
  unsigned char nothing[8] = {};
  refused("stream_save", specfast_stream_save(nullptr, nothing, 8));
  refused("stream_save", specfast_stream_save(stream.handle, nullptr, 8));
  refused("stream_save", specfast_stream_save(stream.handle, nothing, random.one_in(2) ? 0 : 8));
  refused("stream_load", specfast_stream_load(stream.handle, nothing, 8));
  refused("stream_load", specfast_stream_load(stream.handle, nullptr, SIZE_MAX));
  if (!stream.prepared) return;
  if (stream.state.empty() || random.one_in(2)) {
    stream.state.resize(std::size_t(specfast_stream_state_bytes(stream.handle)));
    check("stream_save",
          specfast_stream_save(stream.handle, stream.state.data(), stream.state.size()), 0);
    return;
  }
  // Whatever the bytes are: refused, or a state to go on from.
  const bool hostile = random.one_in(2);
  const std::vector<unsigned char> bytes = hostile ? damaged(random, stream.state) : stream.state;
  const specfast_status status = specfast_stream_load(stream.handle, bytes.data(), bytes.size());
  if (!check("stream_load", status, hostile ? kRefused : 0)) return;
  stream.compared = false;
  stream.finished = specfast_stream_flush_frames(stream.handle) == 0;
  if (!stream.finished) return;
  // Whether it is finished shows in a push of nothing.
  specfast_block block = {};
  block.struct_size = sizeof(block);
  std::int64_t given;
  stream.finished = specfast_stream_push(stream.handle, &block, &given) != SPECFAST_OK;
}

}  // namespace

void destroy_streams_of(const Plan* plan) {
  const auto goes = [plan](const auto& stream) { return !plan || stream->plan == plan; };
  streams.erase(std::remove_if(streams.begin(), streams.end(), goes), streams.end());
}

void try_streams(Random& random, const std::vector<std::unique_ptr<Plan>>& plans) {
  if (streams.size() < limits.num_streams) create_stream(random, plans);
  Stream& stream = *streams[std::size_t(random.below(std::int64_t(streams.size())))];
  const std::int64_t choice = random.below(34);
  if (choice < 1 || (!stream.prepared && choice < 14)) return prepare(random, stream);
  if (choice < 2) return reset(stream);
  if (choice < 3) return save_or_load(random, stream);
  if (choice < 4) return ask(random, stream);
  if (stream.finished && choice < 18) return reset(stream);
  push_or_flush(random, stream, choice < 8);
}

// Two threads on one stream: each call succeeds or is refused because of the other.
void race(Random& random) {
  specfast_config config;
  specfast_config_init(&config, sizeof(config), SPECFAST_MODE_PSD);
  Plan plan;
  check("plan_create", specfast_plan_create(&config, &plan.handle), 0);
  specfast_stream* stream;
  check("stream_create", specfast_stream_create(plan.handle, &stream), 0);
  specfast_stream_config stream_config;
  specfast_stream_config_init(&stream_config, sizeof(stream_config));
  check("stream_prepare", specfast_stream_prepare(stream, &stream_config), 0);
  std::atomic<long> calls{0}, busy{0}, wrong{0};
  const auto work = [&](std::uint64_t its_seed) {
    Random own(its_seed);
    std::vector<float> input(4096), output(std::size_t(40 * 129));
    specfast_block block = {};
    block.struct_size = sizeof(block);
    block.input = input.data();
    block.in_sample_stride = 1;
    block.output = output.data();
    block.max_frames = 40;
    block.out_frame_stride = 129;
    block.out_row_stride = 1;
    std::vector<unsigned char> state(1 << 15);
    // On a single processor they rarely meet.
    while (calls < 4000 || (busy < 20 && calls < 200000)) {
      std::int64_t frames;
      block.num_samples = own.below(4097);
      const specfast_status status =
          own.one_in(10)   ? specfast_stream_reset(stream)
          : own.one_in(10) ? specfast_stream_save(stream, state.data(), state.size())
          : own.one_in(50) ? specfast_stream_prepare(stream, &stream_config)
                           : specfast_stream_push(stream, &block, &frames);
      ++calls;
      if (status == SPECFAST_E_BUSY) ++busy;
      if (status != SPECFAST_E_BUSY && status != SPECFAST_OK) ++wrong;
    }
  };
  std::thread first(work, std::uint64_t(random.below(1000))), second(work, 7);
  first.join();
  second.join();
  if (wrong > 0) broken("two threads", 0, "success or SPECFAST_E_BUSY");
  if (busy == 0) broken("two threads", 0, "SPECFAST_E_BUSY now and then");
  tally["(two threads, one stream)"][SPECFAST_E_BUSY] += busy;
  tally["(two threads, one stream)"][SPECFAST_OK] += calls - busy;
  specfast_stream_destroy(stream);
}

}  // namespace fuzz
