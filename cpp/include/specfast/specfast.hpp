// SPDX-License-Identifier: BSD-3-Clause
//
// C++17 over specfast.h: ownership, exceptions, and views that say where samples and frames lie.
// Header-only. Shapes, units and thread rules are those of the C functions, whose comments hold
// here too.
//
// Usage:
//
//     const specfast::Plan plan(specfast::default_config(SPECFAST_MODE_LOG));
//     specfast::Workspace workspace(plan);
//     const specfast::Signals signals = specfast::contiguous(samples.data(), 1, num_samples);
//     std::vector<float> levels(plan.num_values(signals));
//     plan.execute(workspace, signals, specfast::by_frame(levels));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "griffin_lim.hpp"
#include "inverse.hpp"
#include "specfast.h"
#include "views.hpp"

namespace specfast {

namespace detail {

inline void require_dtype(const std::string& name, specfast_dtype received,
                          specfast_dtype expected) {
  if (received == expected) return;
  throw Error(SPECFAST_E_INVALID_ARGUMENT,
              name + " must have the dtype of the plan, specfast_dtype " +
                  std::to_string(expected) + ", received " + std::to_string(received));
}

}  // namespace detail

// ---- Plans --------------------------------------------------------------------------------------

inline specfast_config default_config(specfast_mode mode) {
  specfast_config config;
  check(specfast_config_init(&config, sizeof(config), mode));
  return config;
}

class Workspace;

class Plan {
 public:
  explicit Plan(const specfast_config& config) : dtype_(specfast_dtype(config.dtype)) {
    specfast_plan* plan;
    check(specfast_plan_create(&config, &plan));
    plan_.reset(plan);
  }
  Plan(const specfast_config& config, const specfast_weights& weights)
      : dtype_(specfast_dtype(config.dtype)) {
    specfast_plan* plan;
    check(specfast_plan_create_with_weights(&config, &weights, &plan));
    plan_.reset(plan);
  }

  bool is_analytic() const noexcept { return specfast_plan_is_analytic(plan_.get()) != 0; }
  specfast_dtype dtype() const noexcept { return dtype_; }
  std::int64_t num_rows() const noexcept { return specfast_plan_num_rows(plan_.get()); }
  std::int64_t num_frames(std::int64_t num_samples) const noexcept {
    return specfast_plan_num_frames(plan_.get(), num_samples);
  }
  // Elements of the output of a call.
  std::size_t num_values(const Signals& signals) const noexcept {
    return std::size_t(signals.num_batches * signals.num_channels *
                       num_frames(signals.num_samples) * num_rows());
  }
  const specfast_plan* get() const noexcept { return plan_.get(); }

  // Throws Error where `frames` has another dtype than the plan, or room for too few frames.
  inline void execute(Workspace& workspace, const Signals& signals, const Frames& frames) const;
  inline void execute(Workspace& workspace, const specfast_batch& batch) const;

  // Values for one signal that execute_keep leaves, see specfast_plan_num_kept.
  std::int64_t num_kept(std::int64_t num_samples) const noexcept {
    return specfast_plan_num_kept(plan_.get(), num_samples);
  }
  inline void execute_keep(Workspace& workspace, const Signals& signals, const Frames& frames,
                           void* kept) const;
  inline void execute_keep(Workspace& workspace, const specfast_batch& batch, void* kept) const;

  // Writes the gradient of the signals, [batch][channel][sample] without gaps, from the one of the
  // output. All of the plan's dtype.
  template <typename Pointer, typename T>
  void pull_back(std::int32_t num_threads, const Signals& signals,
                 const BasicFrames<Pointer>& cotangent, T* signal_gradient) const {
    detail::require_dtype("signal_gradient", dtype_of<T>(), dtype_);
    specfast_gradient gradient = gradient_of(signals, cotangent);
    gradient.signal = signal_gradient;
    gradient.signal_batch_stride = signals.num_channels * signals.num_samples;
    gradient.signal_channel_stride = signals.num_samples;
    gradient.signal_sample_stride = 1;
    pull_back(num_threads, batch_of(signals), gradient);
  }
  void pull_back(std::int32_t num_threads, const specfast_batch& batch,
                 const specfast_gradient& gradient) const {
    check(specfast_pull_back(plan_.get(), num_threads, &batch, &gradient));
  }

  // Bins of a spectrum from the energies of bands, see bands.h.
  void unmix_bands(std::int32_t num_threads, const specfast_bands& bands) const {
    check(specfast_unmix_bands(plan_.get(), num_threads, &bands));
  }

  // The structures of the C functions, for what the calls above do not cover.
  specfast_batch batch_of(const Signals& signals, const Frames& frames) const {
    specfast_batch batch = batch_of(signals);
    const FrameStrides strides = checked_strides(signals, frames);
    batch.output = frames.values;
    batch.out_batch_stride = strides.batch;
    batch.out_channel_stride = strides.channel;
    batch.out_frame_stride = strides.frame;
    batch.out_row_stride = strides.row;
    return batch;
  }
  static specfast_batch batch_of(const Signals& signals) noexcept {
    specfast_batch batch{};
    batch.struct_size = sizeof(batch);
    batch.input = signals.samples;
    batch.in_dtype = signals.dtype;
    batch.in_scale = signals.scale;
    batch.num_batches = signals.num_batches;
    batch.num_channels = signals.num_channels;
    batch.num_samples = signals.num_samples;
    batch.in_batch_stride = signals.batch_stride;
    batch.in_channel_stride = signals.channel_stride;
    batch.in_sample_stride = signals.sample_stride;
    return batch;
  }
  template <typename Pointer>
  specfast_gradient gradient_of(const Signals& signals,
                                const BasicFrames<Pointer>& cotangent) const {
    specfast_gradient gradient{};
    const FrameStrides strides = checked_strides(signals, cotangent);
    gradient.struct_size = sizeof(gradient);
    gradient.cotangent = cotangent.values;
    gradient.cotangent_batch_stride = strides.batch;
    gradient.cotangent_channel_stride = strides.channel;
    gradient.cotangent_frame_stride = strides.frame;
    gradient.cotangent_row_stride = strides.row;
    return gradient;
  }

 private:
  template <typename Pointer>
  FrameStrides checked_strides(const Signals& signals, const BasicFrames<Pointer>& frames) const {
    detail::require_dtype("frames", frames.dtype, dtype_);
    const std::int64_t rows = num_rows(), needed = num_frames(signals.num_samples);
    const std::int64_t room = frames.max_frames(signals.num_batches, signals.num_channels, rows);
    if (room < needed) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "frames must have room for " + std::to_string(needed) +
                      " frames, received room for " + std::to_string(room));
    }
    return frames.strides_of(signals.num_channels, needed, rows);
  }

  struct Destroy {
    void operator()(specfast_plan* plan) const noexcept { specfast_plan_destroy(plan); }
  };
  std::unique_ptr<specfast_plan, Destroy> plan_;
  specfast_dtype dtype_;
};

class Workspace {
 public:
  explicit Workspace(const Plan& plan, std::int32_t num_threads = 0) {
    specfast_workspace* workspace;
    check(specfast_workspace_create(plan.get(), num_threads, &workspace));
    workspace_.reset(workspace);
  }
  Workspace(const Plan& plan, std::int32_t num_threads, specfast_runner runner, void* context) {
    specfast_workspace* workspace;
    check(specfast_workspace_create_with_runner(plan.get(), num_threads, runner, context,
                                                &workspace));
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

inline void Plan::execute(Workspace& workspace, const Signals& signals,
                          const Frames& frames) const {
  execute(workspace, batch_of(signals, frames));
}

inline void Plan::execute(Workspace& workspace, const specfast_batch& batch) const {
  check(specfast_execute(plan_.get(), workspace.get(), &batch));
}

inline void Plan::execute_keep(Workspace& workspace, const Signals& signals, const Frames& frames,
                               void* kept) const {
  execute_keep(workspace, batch_of(signals, frames), kept);
}

inline void Plan::execute_keep(Workspace& workspace, const specfast_batch& batch,
                               void* kept) const {
  check(specfast_execute_keep(plan_.get(), workspace.get(), &batch, kept));
}

// ---- Devices ------------------------------------------------------------------------------------

// Null stands for the backend's own name.
inline void load_backend(const char* path = nullptr) { check(specfast_load_backend(path)); }

inline specfast_device_info device_info(std::int32_t device = 0) {
  specfast_device_info info{};
  info.struct_size = sizeof(info);
  check(specfast_get_device_info(device, &info));
  return info;
}

// A plan whose calls are put into a stream of the device and run there.
class DevicePlan {
 public:
  explicit DevicePlan(const specfast_config& config, std::int32_t device = 0,
                      std::int64_t workspace_bytes = 0) {
    specfast_device_plan* plan;
    check(specfast_device_plan_create(&config, device, workspace_bytes, &plan));
    plan_.reset(plan);
  }

  // The structure is what Plan::batch_of makes; its pointers are to the memory of the device.
  void execute(const specfast_batch& batch, std::int32_t out_dtype, void* stream) const {
    check(specfast_execute_on_stream(plan_.get(), &batch, out_dtype, stream));
  }
  const specfast_device_plan* get() const noexcept { return plan_.get(); }

 private:
  struct Destroy {
    void operator()(specfast_device_plan* plan) const noexcept {
      specfast_device_plan_destroy(plan);
    }
  };
  std::unique_ptr<specfast_device_plan, Destroy> plan_;
};

// Memory of a device. Both copies wait until they are done, and for the work in `stream` before.
class DeviceMemory {
 public:
  DeviceMemory(std::int32_t device, std::int64_t num_bytes) : memory_(nullptr, Free{device}) {
    void* memory;
    check(specfast_device_allocate(device, num_bytes, &memory));
    memory_.reset(memory);
  }

  void* get() const noexcept { return memory_.get(); }
  void fill(const void* from, std::int64_t num_bytes, void* stream) {
    check(specfast_copy_to_device(device(), get(), from, num_bytes, stream));
  }
  void read(void* to, std::int64_t num_bytes, void* stream) const {
    check(specfast_copy_to_host(device(), to, get(), num_bytes, stream));
  }

 private:
  struct Free {
    std::int32_t device;
    void operator()(void* memory) const noexcept { specfast_device_free(device, memory); }
  };
  std::int32_t device() const noexcept { return memory_.get_deleter().device; }

  std::unique_ptr<void, Free> memory_;
};

// Waits for the work in a stream.
inline void wait_for_stream(std::int32_t device, void* stream) {
  unsigned char nothing = 0;
  check(specfast_copy_to_host(device, &nothing, &nothing, 0, stream));
}

// ---- Streams ------------------------------------------------------------------------------------

inline specfast_stream_config default_stream_config() {
  specfast_stream_config config;
  check(specfast_stream_config_init(&config, sizeof(config)));
  return config;
}

// A prepared stream. The plan must outlive it. push and flush that succeed neither allocate nor
// throw; a failure throws, which is not for real-time threads: those may call the C functions with
// get() and a block that block_of() made before.
class Stream {
 public:
  Stream(const Plan& plan, const specfast_stream_config& config)
      : num_channels_(config.num_channels), num_rows_(plan.num_rows()), dtype_(plan.dtype()) {
    specfast_stream* stream;
    check(specfast_stream_create(plan.get(), &stream));
    stream_.reset(stream);
    check(specfast_stream_prepare(stream, &config));
  }

  // All return the number of frames written. The strides of by_frame and by_row are those of as
  // many frames as there is room for, not of those written: they are the same for every push.
  std::int64_t push(const Signals& signals, const Frames& frames) {
    return push(block_of(signals, frames));
  }
  std::int64_t flush(const Frames& frames) {
    Signals nothing;
    nothing.num_channels = num_channels_;
    return flush(block_of(nothing, frames));
  }
  std::int64_t push(const specfast_block& block) {
    std::int64_t num_frames;
    check(specfast_stream_push(stream_.get(), &block, &num_frames));
    return num_frames;
  }
  std::int64_t flush(const specfast_block& block) {
    std::int64_t num_frames;
    check(specfast_stream_flush(stream_.get(), &block, &num_frames));
    return num_frames;
  }
  void reset() { check(specfast_stream_reset(stream_.get())); }

  // Values of a buffer with room for every push and flush.
  std::size_t max_values() const { return std::size_t(num_channels_ * max_frames() * num_rows_); }
  // The structure of the C functions. It serves for any number of pushes with `input` and
  // `num_samples` changed.
  specfast_block block_of(const Signals& signals, const Frames& frames) const {
    detail::require_dtype("frames", frames.dtype, dtype_);
    if (signals.num_batches != 1 || signals.num_channels != num_channels_) {
      throw Error(SPECFAST_E_INVALID_ARGUMENT,
                  "signals must be one batch of " + std::to_string(num_channels_) +
                      " channels, received " + std::to_string(signals.num_batches) + " and " +
                      std::to_string(signals.num_channels));
    }
    specfast_block block{};
    block.struct_size = sizeof(block);
    block.input = signals.samples;
    block.in_dtype = signals.dtype;
    block.in_scale = signals.scale;
    block.num_samples = signals.num_samples;
    block.in_channel_stride = signals.channel_stride;
    block.in_sample_stride = signals.sample_stride;
    block.output = frames.values;
    block.max_frames = frames.max_frames(1, num_channels_, num_rows_);
    const FrameStrides strides = frames.strides_of(num_channels_, block.max_frames, num_rows_);
    block.out_channel_stride = strides.channel;
    block.out_frame_stride = strides.frame;
    block.out_row_stride = strides.row;
    return block;
  }

  std::int64_t latency_samples() const {
    return number(specfast_stream_latency_samples(stream_.get()));
  }
  std::int64_t num_frames(std::int64_t num_samples) const {
    return number(specfast_stream_num_frames(stream_.get(), num_samples));
  }
  std::int64_t flush_frames() const { return number(specfast_stream_flush_frames(stream_.get())); }
  std::int64_t max_frames() const { return number(specfast_stream_max_frames(stream_.get())); }

  std::vector<unsigned char> save() const {
    std::vector<unsigned char> bytes(
        static_cast<std::size_t>(number(specfast_stream_state_bytes(stream_.get()))));
    check(specfast_stream_save(stream_.get(), bytes.data(), bytes.size()));
    return bytes;
  }
  void load(const void* bytes, std::size_t num_bytes) {
    check(specfast_stream_load(stream_.get(), bytes, num_bytes));
  }

  specfast_stream* get() noexcept { return stream_.get(); }

 private:
  static std::int64_t number(std::int64_t value) {
    if (value < 0) check(specfast_last_status());
    return value;
  }

  struct Destroy {
    void operator()(specfast_stream* stream) const noexcept { specfast_stream_destroy(stream); }
  };
  std::int64_t num_channels_, num_rows_;
  specfast_dtype dtype_;
  std::unique_ptr<specfast_stream, Destroy> stream_;
};

// ---- Tables -------------------------------------------------------------------------------------

inline std::vector<double> window(const std::string& name, std::int64_t length, bool periodic) {
  if (length < 0) length = 0;  // refused below, by name and value
  std::vector<double> values(static_cast<std::size_t>(length) + 1);
  check(specfast_window(name.c_str(), length, periodic, values.data()));
  values.pop_back();
  return values;
}

// Every name that window() takes.
inline std::vector<std::string> window_names() {
  std::vector<std::string> names;
  while (const char* name = specfast_window_name(names.size())) names.emplace_back(name);
  return names;
}

namespace detail {

// The rows of a frame in mode MEL, if the configuration is sound.
inline std::int64_t num_mel_rows(const specfast_config& config) {
  constexpr std::int64_t kMaxBands = std::int64_t(1) << 20;
  if (config.num_mel_bins > kMaxBands || config.num_cepstra > kMaxBands) return 0;
  const std::int64_t with_energy = config.num_mel_bins + (config.energy != SPECFAST_ENERGY_NONE);
  const std::int64_t rows = config.num_cepstra > 0 ? config.num_cepstra : with_energy;
  return config.delta_order > 0 && config.delta_order <= 2 ? rows * (1 + config.delta_order) : rows;
}

}  // namespace detail

// The frequency of each row in Hz. A spectrogram's configuration must have a sampling_rate_hz.
inline std::vector<double> frequencies(const specfast_config& config) {
  constexpr std::int64_t kMaxRows = (std::int64_t(1) << 27) + 2;
  const std::int64_t bins = config.fft_length / 2 + 1;
  const std::int64_t rows = config.mode == SPECFAST_MODE_MEL    ? detail::num_mel_rows(config)
                            : config.mode == SPECFAST_MODE_STFT ? 2 * bins
                                                                : bins;
  // Any other number is refused below, by name and value.
  std::vector<double> hz(rows > 0 && rows <= kMaxRows ? static_cast<std::size_t>(rows) : 1);
  check(specfast_frequencies(&config, hz.data()));
  return hz;
}

// The names of all modes, each at its number.
inline std::vector<std::string> mode_names() {
  std::vector<std::string> names;
  while (const char* name = specfast_mode_name(std::int32_t(names.size())))
    names.emplace_back(name);
  return names;
}

// The names of all levels, each at its number.
inline std::vector<std::string> level_names() {
  std::vector<std::string> names;
  while (const char* name = specfast_level_name(std::int32_t(names.size())))
    names.emplace_back(name);
  return names;
}

// ---- The library --------------------------------------------------------------------------------

inline std::int32_t num_threads() noexcept { return specfast_num_threads(); }
inline void set_num_threads(std::int32_t num_threads) {
  check(specfast_set_num_threads(num_threads));
}

inline specfast_build_info build_info() {
  specfast_build_info info;
  info.struct_size = sizeof(info);
  check(specfast_get_build_info(&info));
  return info;
}

}  // namespace specfast
