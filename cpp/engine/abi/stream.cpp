// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of streams: null checks, order of calls, one thread at a time.
#include <atomic>
#include <memory>

#include "engine/abi/checks.h"
#include "engine/abi/exclusive.h"
#include "engine/abi/handles.h"
#include "engine/run/stream.h"

using namespace specfast::engine;

struct specfast_stream {
  explicit specfast_stream(const Plan& its_plan) : plan(its_plan) {}

  const Plan& plan;
  std::unique_ptr<Stream> prepared;
  // Copies that another thread may ask for during a push; -1 before the first prepare.
  std::atomic<int64_t> latency_samples{-1}, max_frames{-1};
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

namespace {

specfast_status not_prepared() noexcept {
  return fail(SPECFAST_E_OUT_OF_ORDER,
              {"specfast_stream_prepare must come first, received a stream that is not prepared"});
}

template <typename Call>
specfast_status with_prepared(specfast_stream* stream, const Call& call) noexcept {
  return exclusively(stream,
                     [&] { return stream->prepared ? call(*stream->prepared) : not_prepared(); });
}

template <typename Question>
int64_t number_of(specfast_stream* stream, const Question& question) noexcept {
  int64_t number = -1;
  with_prepared(stream, [&](Stream& prepared) {
    number = question(prepared);
    return SPECFAST_OK;
  });
  return number;
}

// Returns what only prepare sets; reading it never blocks a push.
int64_t constant_of(const specfast_stream* stream,
                    std::atomic<int64_t> specfast_stream::* constant) noexcept {
  if (check_pointer("stream", stream) != SPECFAST_OK) return -1;
  const int64_t value = stream->*constant;
  if (value < 0) not_prepared();
  return value;
}

using Operation = specfast_status (Stream::*)(const specfast_block&, int64_t&) noexcept;

specfast_status run(specfast_stream* stream, const specfast_block* block, int64_t* num_frames,
                    Operation operation) noexcept {
  if (const auto status = check_pointer("num_frames", num_frames); status != SPECFAST_OK)
    return status;
  *num_frames = 0;
  if (const auto status = check_pointer("block", block); status != SPECFAST_OK) return status;
  if (block->struct_size != sizeof(specfast_block)) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"block.struct_size must be ", int64_t(sizeof(specfast_block)), ", received ",
                 int64_t(block->struct_size)});
  }
  return with_prepared(
      stream, [&](Stream& prepared) { return (prepared.*operation)(*block, *num_frames); });
}

}  // namespace

specfast_status specfast_stream_create(const specfast_plan* plan, specfast_stream** stream) {
  return guarded([&] {
    require_pointer("stream", stream);
    *stream = nullptr;
    require_pointer("plan", plan);
    *stream = new specfast_stream(*plan);
  });
}

void specfast_stream_destroy(specfast_stream* stream) { delete stream; }

specfast_status specfast_stream_config_init(specfast_stream_config* config, size_t struct_size) {
  return guarded([&] {
    require_pointer("config", config);
    require_struct_size("config", struct_size, sizeof(specfast_stream_config));
    *config = specfast_stream_config{};
    config->struct_size = sizeof(specfast_stream_config);
    config->num_channels = 1;
    config->max_block = 4096;
  });
}

specfast_status specfast_stream_prepare(specfast_stream* stream,
                                        const specfast_stream_config* config) {
  return exclusively(stream, [&] {
    return guarded([&] {
      require_struct("config", config);
      stream->prepared = Stream::create(stream->plan, *config);
      stream->latency_samples = stream->prepared->latency_samples();
      stream->max_frames = stream->prepared->max_frames();
    });
  });
}

specfast_status specfast_stream_push(specfast_stream* stream, const specfast_block* block,
                                     int64_t* num_frames) {
  return run(stream, block, num_frames, &Stream::push);
}

specfast_status specfast_stream_flush(specfast_stream* stream, const specfast_block* block,
                                      int64_t* num_frames) {
  return run(stream, block, num_frames, &Stream::flush);
}

specfast_status specfast_stream_reset(specfast_stream* stream) {
  return with_prepared(stream, [](Stream& prepared) {
    prepared.reset();
    return SPECFAST_OK;
  });
}

int64_t specfast_stream_latency_samples(specfast_stream* stream) {
  return constant_of(stream, &specfast_stream::latency_samples);
}

int64_t specfast_stream_num_frames(specfast_stream* stream, int64_t num_samples) {
  return number_of(stream, [num_samples](const Stream& prepared) -> int64_t {
    if (num_samples >= 0 && num_samples <= prepared.max_push())
      return prepared.finished() ? 0 : prepared.frames_of_push(num_samples);
    fail(SPECFAST_E_INVALID_ARGUMENT,
         {"num_samples must be between 0 and ", prepared.max_push(),
          " (max_block, or what is left of 2^62), received num_samples=", num_samples});
    return -1;
  });
}

int64_t specfast_stream_flush_frames(specfast_stream* stream) {
  return number_of(stream, [](const Stream& prepared) { return prepared.frames_of_flush(); });
}

int64_t specfast_stream_max_frames(specfast_stream* stream) {
  return constant_of(stream, &specfast_stream::max_frames);
}

int64_t specfast_stream_state_bytes(specfast_stream* stream) {
  return number_of(stream, [](const Stream& prepared) { return int64_t(prepared.state_bytes()); });
}

specfast_status specfast_stream_save(specfast_stream* stream, void* bytes, size_t num_bytes) {
  if (const auto status = check_pointer("bytes", bytes); status != SPECFAST_OK) return status;
  return with_prepared(stream, [&](const Stream& prepared) {
    if (num_bytes < prepared.state_bytes()) {
      return fail(SPECFAST_E_INVALID_ARGUMENT,
                  {"num_bytes must be at least ", int64_t(prepared.state_bytes()),
                   ", received num_bytes=", int64_t(num_bytes)});
    }
    prepared.save(static_cast<std::byte*>(bytes));
    return SPECFAST_OK;
  });
}

specfast_status specfast_stream_load(specfast_stream* stream, const void* bytes, size_t num_bytes) {
  if (const auto status = check_pointer("bytes", bytes); status != SPECFAST_OK) return status;
  return with_prepared(stream, [&](Stream& prepared) {
    return prepared.load(static_cast<const std::byte*>(bytes), num_bytes);
  });
}
