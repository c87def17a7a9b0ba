// SPDX-License-Identifier: BSD-3-Clause
// C++17 over specfast.h: ownership and exceptions, nothing else. Header-only; shapes, units and
// thread rules stand there.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "specfast.h"

namespace specfast {

// An invalid argument, an overflow, an unknown window or an unavailable ISA; what() is
// specfast_last_error().
class Error : public std::runtime_error {
 public:
  explicit Error(specfast_status status)
      : std::runtime_error(specfast_last_error()), status_(status) {}
  specfast_status status() const noexcept { return status_; }

 private:
  specfast_status status_;
};

// Throws std::bad_alloc when out of memory, Error on any other failure.
inline void check(specfast_status status) {
  if (status == SPECFAST_OK) return;
  if (status == SPECFAST_E_OUT_OF_MEMORY) throw std::bad_alloc();
  throw Error(status);
}

inline specfast_config default_config(specfast_mode mode) {
  specfast_config config;
  check(specfast_config_init(&config, sizeof(config), mode));
  return config;
}

class Workspace;

class Plan {
 public:
  explicit Plan(const specfast_config& config) {
    specfast_plan* plan;
    check(specfast_plan_create(&config, &plan));
    plan_.reset(plan);
  }
  Plan(const specfast_config& config, const specfast_weights& weights) {
    specfast_plan* plan;
    check(specfast_plan_create_with_weights(&config, &weights, &plan));
    plan_.reset(plan);
  }

  bool is_analytic() const noexcept { return specfast_plan_is_analytic(plan_.get()) != 0; }
  std::int64_t num_rows() const noexcept { return specfast_plan_num_rows(plan_.get()); }
  std::int64_t num_frames(std::int64_t num_samples) const noexcept {
    return specfast_plan_num_frames(plan_.get(), num_samples);
  }
  const specfast_plan* get() const noexcept { return plan_.get(); }

  inline void execute(Workspace& workspace, const specfast_batch& batch) const;
  std::int64_t num_kept(std::int64_t num_samples) const noexcept {
    return specfast_plan_num_kept(plan_.get(), num_samples);
  }
  inline void execute_keep(Workspace& workspace, const specfast_batch& batch, void* kept) const;
  void pull_back(std::int32_t num_threads, const specfast_batch& batch,
                 const specfast_gradient& gradient) const {
    check(specfast_pull_back(plan_.get(), num_threads, &batch, &gradient));
  }

 private:
  struct Destroy {
    void operator()(specfast_plan* plan) const noexcept { specfast_plan_destroy(plan); }
  };
  std::unique_ptr<specfast_plan, Destroy> plan_;
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

inline void Plan::execute_keep(Workspace& workspace, const specfast_batch& batch,
                               void* kept) const {
  check(specfast_execute_keep(plan_.get(), workspace.get(), &batch, kept));
}

inline void Plan::execute(Workspace& workspace, const specfast_batch& batch) const {
  check(specfast_execute(plan_.get(), workspace.get(), &batch));
}

inline specfast_stream_config default_stream_config() {
  specfast_stream_config config;
  check(specfast_stream_config_init(&config, sizeof(config)));
  return config;
}

// A prepared stream. The plan must outlive it. push and flush that succeed neither allocate nor
// throw; a failure throws, which is not for real-time threads: those may call the C functions with
// get().
class Stream {
 public:
  Stream(const Plan& plan, const specfast_stream_config& config) {
    specfast_stream* stream;
    check(specfast_stream_create(plan.get(), &stream));
    stream_.reset(stream);
    check(specfast_stream_prepare(stream, &config));
  }

  // Both return the number of frames written.
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
  // The C functions that return numbers say why they failed in words only.
  static std::int64_t number(std::int64_t value) {
    if (value < 0) throw Error(SPECFAST_E_OUT_OF_ORDER);
    return value;
  }

  struct Destroy {
    void operator()(specfast_stream* stream) const noexcept { specfast_stream_destroy(stream); }
  };
  std::unique_ptr<specfast_stream, Destroy> stream_;
};

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
