// SPDX-License-Identifier: BSD-3-Clause
// The C ABI of streams of an inverse: null checks, one thread at a time.
#include "engine/run/inverse_stream.h"

#include <atomic>
#include <memory>

#include "engine/abi/checks.h"
#include "engine/abi/exclusive.h"
#include "engine/abi/handles.h"

using namespace specfast::engine;

struct specfast_inverse_stream {
  std::unique_ptr<InverseStream> stream;
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
};

namespace {

using Operation = specfast_status (InverseStream::*)(const specfast_spectra&, int64_t&) noexcept;

specfast_status run(specfast_inverse_stream* stream, const specfast_spectra* spectra,
                    int64_t* num_samples, Operation operation) noexcept {
  if (const auto status = check_pointer("num_samples", num_samples); status != SPECFAST_OK)
    return status;
  *num_samples = 0;
  if (const auto status = check_pointer("spectra", spectra); status != SPECFAST_OK) return status;
  if (spectra->struct_size != sizeof(specfast_spectra)) {
    return fail(SPECFAST_E_INVALID_ARGUMENT,
                {"spectra.struct_size must be ", int64_t(sizeof(specfast_spectra)), ", received ",
                 int64_t(spectra->struct_size)});
  }
  return exclusively(stream,
                     [&] { return ((*stream->stream).*operation)(*spectra, *num_samples); });
}

template <typename Question>
int64_t number_of(specfast_inverse_stream* stream, const Question& question) noexcept {
  int64_t number = -1;
  exclusively(stream, [&] {
    number = question(*stream->stream);
    return SPECFAST_OK;
  });
  return number;
}

}  // namespace

specfast_status specfast_inverse_stream_create(const specfast_inverse* inverse,
                                               int64_t num_channels, int64_t num_samples,
                                               specfast_inverse_stream** stream) {
  return guarded([&] {
    require_pointer("stream", stream);
    *stream = nullptr;
    require_pointer("inverse", inverse);
    auto made = std::make_unique<specfast_inverse_stream>();
    made->stream = InverseStream::create(*inverse, num_channels, num_samples);
    *stream = made.release();
  });
}

void specfast_inverse_stream_destroy(specfast_inverse_stream* stream) { delete stream; }

specfast_status specfast_inverse_stream_push(specfast_inverse_stream* stream,
                                             const specfast_spectra* spectra,
                                             int64_t* num_samples) {
  return run(stream, spectra, num_samples, &InverseStream::push);
}

specfast_status specfast_inverse_stream_flush(specfast_inverse_stream* stream,
                                              const specfast_spectra* spectra,
                                              int64_t* num_samples) {
  return run(stream, spectra, num_samples, &InverseStream::flush);
}

specfast_status specfast_inverse_stream_reset(specfast_inverse_stream* stream) {
  return exclusively(stream, [&] {
    stream->stream->reset();
    return SPECFAST_OK;
  });
}

int64_t specfast_inverse_stream_delay_samples(specfast_inverse_stream* stream) {
  return number_of(stream, [](const InverseStream& made) { return made.delay_samples(); });
}

int64_t specfast_inverse_stream_num_samples(specfast_inverse_stream* stream, int64_t num_frames) {
  return number_of(stream, [num_frames](const InverseStream& made) -> int64_t {
    if (num_frames >= 0 && num_frames <= made.max_push())
      return made.finished() ? 0 : made.samples_of_push(num_frames);
    fail(SPECFAST_E_INVALID_ARGUMENT, {"num_frames must be between 0 and ", made.max_push(),
                                       ", received num_frames=", num_frames});
    return -1;
  });
}

int64_t specfast_inverse_stream_flush_samples(specfast_inverse_stream* stream) {
  return number_of(stream, [](const InverseStream& made) { return made.samples_of_flush(); });
}

int64_t specfast_inverse_stream_state_bytes(specfast_inverse_stream* stream) {
  return number_of(stream, [](const InverseStream& made) { return int64_t(made.state_bytes()); });
}

specfast_status specfast_inverse_stream_save(specfast_inverse_stream* stream, void* bytes,
                                             size_t num_bytes) {
  if (const auto status = check_pointer("bytes", bytes); status != SPECFAST_OK) return status;
  return exclusively(stream, [&] {
    const InverseStream& made = *stream->stream;
    if (num_bytes < made.state_bytes()) {
      return fail(SPECFAST_E_INVALID_ARGUMENT,
                  {"num_bytes must be at least ", int64_t(made.state_bytes()),
                   ", received num_bytes=", int64_t(num_bytes)});
    }
    made.save(static_cast<std::byte*>(bytes));
    return SPECFAST_OK;
  });
}

specfast_status specfast_inverse_stream_load(specfast_inverse_stream* stream, const void* bytes,
                                             size_t num_bytes) {
  if (const auto status = check_pointer("bytes", bytes); status != SPECFAST_OK) return status;
  return exclusively(stream, [&] {
    return stream->stream->load(static_cast<const std::byte*>(bytes), num_bytes);
  });
}
