// SPDX-License-Identifier: BSD-3-Clause
//
// C++17 over inverse.h: signals from the spectra of their frames.
//
// Usage:
//
//     const specfast::Inverse inverse(config);
//     specfast::Inverse::Workspace workspace(inverse);
//     specfast_spectra spectra = specfast::Inverse::spectra_of(rows.data(), num_frames, num_bins);
//     std::vector<float> samples(inverse.num_samples(num_frames));
//     spectra.signal = samples.data();
//     spectra.num_samples = samples.size();
//     inverse.execute(workspace, spectra);
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "errors.hpp"
#include "inverse.h"

namespace specfast {

class Inverse {
 public:
  class Workspace;

  explicit Inverse(const specfast_config& config) : Inverse(config, nullptr) {}
  Inverse(const specfast_config& config, const specfast_inverse_options& options)
      : Inverse(config, &options) {}

  // -1 where the number of frames does not tell, see specfast_inverse_num_samples.
  std::int64_t num_samples(std::int64_t num_frames) const noexcept {
    return specfast_inverse_num_samples(inverse_.get(), num_frames);
  }
  std::int64_t max_samples(std::int64_t num_frames) const noexcept {
    return specfast_inverse_max_samples(inverse_.get(), num_frames);
  }

  struct LostSamples {
    std::int64_t at_begin, at_end;
  };
  LostSamples lost_samples(std::int64_t num_frames, std::int64_t num_samples) const {
    LostSamples lost{};
    check(specfast_inverse_lost_samples(inverse_.get(), num_frames, num_samples, &lost.at_begin,
                                        &lost.at_end));
    return lost;
  }

  // The spectra of one signal as a plan with mode STFT writes them, frame after frame, each of
  // num_bins real parts and as many imaginary ones. signal and num_samples are left to the caller.
  template <typename T>
  static specfast_spectra spectra_of(const T* rows, std::int64_t num_frames,
                                     std::int64_t num_bins) noexcept {
    specfast_spectra spectra{};
    spectra.struct_size = sizeof(spectra);
    spectra.real = rows;
    spectra.imag = rows + num_bins;
    spectra.num_batches = spectra.num_channels = 1;
    spectra.num_frames = num_frames;
    spectra.frame_stride = 2 * num_bins;
    spectra.bin_stride = 1;
    spectra.signal_sample_stride = 1;
    return spectra;
  }

  inline void execute(Workspace& workspace, const specfast_spectra& spectra) const;
  void pull_back(std::int32_t num_threads, const specfast_inverse_gradient& gradient) const {
    check(specfast_inverse_pull_back(inverse_.get(), num_threads, &gradient));
  }
  const specfast_inverse* get() const noexcept { return inverse_.get(); }

 private:
  Inverse(const specfast_config& config, const specfast_inverse_options* options) {
    specfast_inverse* inverse;
    check(specfast_inverse_create(&config, options, &inverse));
    inverse_.reset(inverse);
  }

  struct Destroy {
    void operator()(specfast_inverse* inverse) const noexcept { specfast_inverse_destroy(inverse); }
  };
  std::unique_ptr<specfast_inverse, Destroy> inverse_;
};

class Inverse::Workspace {
 public:
  explicit Workspace(const Inverse& inverse, std::int32_t num_threads = 0,
                     specfast_runner runner = nullptr, void* context = nullptr) {
    specfast_workspace* workspace;
    check(
        specfast_inverse_workspace_create(inverse.get(), num_threads, runner, context, &workspace));
    workspace_.reset(workspace);
  }

  specfast_workspace* get() noexcept { return workspace_.get(); }

 private:
  struct Destroy {
    void operator()(specfast_workspace* workspace) const noexcept {
      specfast_workspace_destroy(workspace);
    }
  };
  std::unique_ptr<specfast_workspace, Destroy> workspace_;
};

inline void Inverse::execute(Workspace& workspace, const specfast_spectra& spectra) const {
  check(specfast_inverse_execute(inverse_.get(), workspace.get(), &spectra));
}

// A stream of an inverse, which must outlive it. push and flush that succeed neither allocate nor
// throw; a failure throws, which is not for real-time threads: those may call the C functions with
// get().
class InverseStream {
 public:
  // num_samples: the length that the signal will have, or -1, see specfast_inverse_stream_create.
  explicit InverseStream(const Inverse& inverse, std::int64_t num_channels = 1,
                         std::int64_t num_samples = -1) {
    specfast_inverse_stream* stream;
    check(specfast_inverse_stream_create(inverse.get(), num_channels, num_samples, &stream));
    stream_.reset(stream);
  }

  // Both return the number of samples written.
  std::int64_t push(const specfast_spectra& spectra) {
    std::int64_t num_samples;
    check(specfast_inverse_stream_push(stream_.get(), &spectra, &num_samples));
    return num_samples;
  }
  std::int64_t flush(const specfast_spectra& spectra) {
    std::int64_t num_samples;
    check(specfast_inverse_stream_flush(stream_.get(), &spectra, &num_samples));
    return num_samples;
  }
  void reset() { check(specfast_inverse_stream_reset(stream_.get())); }

  std::int64_t delay_samples() const {
    return number(specfast_inverse_stream_delay_samples(stream_.get()));
  }
  std::int64_t num_samples(std::int64_t num_frames) const {
    return number(specfast_inverse_stream_num_samples(stream_.get(), num_frames));
  }
  std::int64_t flush_samples() const {
    return number(specfast_inverse_stream_flush_samples(stream_.get()));
  }

  std::vector<unsigned char> save() const {
    std::vector<unsigned char> bytes(
        static_cast<std::size_t>(number(specfast_inverse_stream_state_bytes(stream_.get()))));
    check(specfast_inverse_stream_save(stream_.get(), bytes.data(), bytes.size()));
    return bytes;
  }
  void load(const void* bytes, std::size_t num_bytes) {
    check(specfast_inverse_stream_load(stream_.get(), bytes, num_bytes));
  }

  specfast_inverse_stream* get() noexcept { return stream_.get(); }

 private:
  // A delay may be negative, where frames begin behind the first sample: it is no failure then.
  static std::int64_t number(std::int64_t value) {
    if (value == -1) check(specfast_last_status());
    return value;
  }

  struct Destroy {
    void operator()(specfast_inverse_stream* stream) const noexcept {
      specfast_inverse_stream_destroy(stream);
    }
  };
  std::unique_ptr<specfast_inverse_stream, Destroy> stream_;
};

}  // namespace specfast
