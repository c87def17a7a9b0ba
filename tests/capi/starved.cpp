// SPDX-License-Identifier: BSD-3-Clause
// Every function of the C ABI, with each of its allocations failing in turn.
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include "example.h"
#include "harness.h"

namespace fuzz {
namespace {

// A call with an end that is known; besides that it may find no memory.
struct Case {
  const char* function;
  std::function<specfast_status()> call;
  specfast_status expected = SPECFAST_OK;
};

// For a function that returns a number: it cannot fail, or says so by this thread's last status.
specfast_status status_of(bool is_as_expected) {
  return is_as_expected ? SPECFAST_OK : specfast_last_status();
}

// What stands on the other side of the calls; made while there is memory.
struct Things {
  Things() : trained(SPECFAST_FLOAT32) {
    check("config_init", specfast_config_init(&mel_config, sizeof(mel_config), SPECFAST_MODE_MEL),
          0);
    mel_config.fft_length = mel_config.frame_length = 64;
    mel_config.hop = 32;
    mel_config.num_mel_bins = 5;
    check("plan_create", specfast_plan_create(&mel_config, &mel), 0);
    check("workspace_create", specfast_workspace_create(mel, 2, &workspace), 0);
    check("load_backend", specfast_load_backend(SPECFAST_HOST_BACKEND), 0);
    check("device_plan_create", specfast_device_plan_create(&mel_config, 0, 0, &on_device), 0);
    mel_batch = trained.batch;
    mel_batch.out_frame_stride = 5;
    bad_batch = mel_batch;
    bad_batch.in_dtype = 77;
    bad_config = mel_config;
    bad_config.hop = -1;
    block = trained.block();
    stft_config = mel_config;
    stft_config.mode = SPECFAST_MODE_STFT;
    stft_config.padding = SPECFAST_PADDING_CENTER;
    stft_config.window = nullptr;
    check("inverse_create", specfast_inverse_create(&stft_config, nullptr, &inverse), 0);
    check("inverse_workspace_create",
          specfast_inverse_workspace_create(inverse, 2, nullptr, nullptr, &inverse_workspace), 0);
    check("inverse_stream_create", specfast_inverse_stream_create(inverse, 1, -1, &inverse_stream),
          0);
    inverse_state.resize(std::size_t(specfast_inverse_stream_state_bytes(inverse_stream)));
    check("inverse_stream_save",
          specfast_inverse_stream_save(inverse_stream, inverse_state.data(), inverse_state.size()),
          0);
    spectra.struct_size = sizeof(spectra);
    spectra.real = spectra.imag = values;  // all bins alike
    spectra.num_batches = spectra.num_channels = spectra.num_frames = 1;
    spectra.signal = samples;
    spectra.num_samples = 32;
    spectra.signal_sample_stride = 1;
    spectra_gradient.struct_size = sizeof(spectra_gradient);
    spectra_gradient.cotangent = samples;
    spectra_gradient.num_batches = spectra_gradient.num_channels = spectra_gradient.num_frames = 1;
    spectra_gradient.num_samples = 32;
    spectra_gradient.real = spectra_gradient.imag = values;
    check("griffin_lim_create", specfast_griffin_lim_create(&stft_config, &search, &griffin_lim),
          0);
    state.resize(std::size_t(specfast_stream_state_bytes(trained.stream)));
    check("stream_save", specfast_stream_save(trained.stream, state.data(), state.size()), 0);
  }
  ~Things() {
    specfast_griffin_lim_destroy(griffin_lim);
    specfast_inverse_stream_destroy(inverse_stream);
    specfast_workspace_destroy(inverse_workspace);
    specfast_inverse_destroy(inverse);
    specfast_device_plan_destroy(on_device);
    specfast_workspace_destroy(workspace);
    specfast_plan_destroy(mel);
  }

  Example trained;
  specfast_config mel_config, bad_config;
  specfast_plan* mel = nullptr;
  specfast_workspace* workspace = nullptr;
  specfast_device_plan* on_device = nullptr;
  specfast_batch mel_batch, bad_batch;
  specfast_block block;
  std::vector<unsigned char> state;
  std::int64_t frames = 0;
  double values[64] = {};

  specfast_config stft_config;
  specfast_inverse* inverse = nullptr;
  specfast_workspace* inverse_workspace = nullptr;
  specfast_inverse_stream* inverse_stream = nullptr;
  std::vector<unsigned char> inverse_state;
  specfast_spectra spectra = {};
  specfast_inverse_gradient spectra_gradient = {};
  specfast_griffin_lim_options search = {sizeof(search), 2, 0.99, 0};
  specfast_griffin_lim* griffin_lim = nullptr;
  double samples[64] = {};
  // One frame, whose bins are all alike.
  specfast_magnitudes magnitudes = {
      sizeof(magnitudes), values, 1, 1, 1, 0, 0, 0, 0, samples, 20, 0, 0, 1};
};

void run_in_turn(void*, std::int32_t num_tasks, specfast_task task, void* argument) {
  for (std::int32_t index = 0; index < num_tasks; ++index) task(argument, index);
}

std::vector<Case> cases_of_the_library() {
  return {
      // First: the library finds these out only once.
      {"specfast_num_threads",
       [] {
         const long failed = num_failed;
         const std::int32_t number = specfast_num_threads();
         return status_of(number >= 1 && num_failed == failed);
       }},
      {"specfast_get_build_info",
       [] {
         specfast_build_info info = {};
         info.struct_size = sizeof(info);
         return specfast_get_build_info(&info);
       }},
      {"specfast_set_num_threads", [] { return specfast_set_num_threads(0); }},
      {"specfast_set_num_threads", [] { return specfast_set_num_threads(-1); },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_last_error", [] { return status_of(specfast_last_error() != nullptr); }},
      {"specfast_last_status", [] { return specfast_last_status(); }},
      {"specfast_set_interrupt",
       [] { return specfast_set_interrupt(nullptr, nullptr), SPECFAST_OK; }},
      {"specfast_window_name", [] { return status_of(specfast_window_name(0) != nullptr); }},
      {"specfast_mode_name", [] { return status_of(specfast_mode_name(0) != nullptr); }},
      {"specfast_level_name", [] { return status_of(specfast_level_name(0) != nullptr); }},
      {"specfast_hertz_to_mel", [] { return status_of(specfast_hertz_to_mel(1000) > 999); }},
  };
}

std::vector<Case> cases_of_tables(Things& t) {
  return {
      {"specfast_config_init",
       [] {
         specfast_config config;
         return specfast_config_init(&config, sizeof(config), SPECFAST_MODE_LOG);
       }},
      {"specfast_window", [&t] { return specfast_window("hann", 33, 1, t.values); }},
      {"specfast_window",
       [&t] { return specfast_window("a window with a long name", 33, 1, t.values); },
       SPECFAST_E_UNKNOWN_WINDOW},
      {"specfast_mel_weights",
       [&t] { return specfast_mel_weights(3, 9, 8000, 0, 4000, t.values); }},
      {"specfast_config_empty_bands",
       [] {
         unsigned char is_empty[128];
         specfast_config config;
         specfast_config_init(&config, sizeof(config), SPECFAST_MODE_MEL);
         return specfast_config_empty_bands(&config, is_empty);
       }},
      {"specfast_empty_bands",
       [] {
         std::uint8_t is_empty[3];
         return specfast_empty_bands(3, 9, 8000, 0, 4000, is_empty);
       }},
      {"specfast_analytic_weights",
       [&t] { return specfast_analytic_weights(&t.trained.config, t.values, t.values); }},
      {"specfast_frequencies", [&t] { return specfast_frequencies(&t.trained.config, t.values); }},
  };
}

std::vector<Case> cases_of_plans(Things& t) {
  const auto created = [](specfast_status status, specfast_plan* plan) {
    if ((status == SPECFAST_OK) != (plan != nullptr))
      broken("plan_create", status, "a plan or NULL");
    specfast_plan_destroy(plan);
    return status;
  };
  const auto workspace_made = [](specfast_status status, specfast_workspace* workspace) {
    if ((status == SPECFAST_OK) != (workspace != nullptr))
      broken("workspace_create", status, "a workspace or NULL");
    specfast_workspace_destroy(workspace);
    return status;
  };
  const auto create = [&t, created] {
    specfast_plan* plan = nullptr;
    const specfast_status status = specfast_plan_create(&t.mel_config, &plan);
    return created(status, plan);
  };
  const auto create_workspace = [&t, workspace_made] {
    specfast_workspace* workspace = nullptr;
    const specfast_status status = specfast_workspace_create(t.mel, 2, &workspace);
    return workspace_made(status, workspace);
  };
  return {
      {"specfast_plan_create", create},
      {"specfast_plan_destroy", create},
      {"specfast_plan_create",
       [&t, created] {
         specfast_plan* plan = nullptr;
         const specfast_status status = specfast_plan_create(&t.bad_config, &plan);
         return created(status, plan);
       },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_plan_create_with_weights",
       [&t, created] {
         specfast_plan* plan = nullptr;
         const specfast_status status =
             specfast_plan_create_with_weights(&t.trained.config, &t.trained.weights, &plan);
         return created(status, plan);
       }},
      {"specfast_plan_is_analytic",
       [&t] { return status_of(specfast_plan_is_analytic(t.mel) == 1); }},
      {"specfast_plan_num_rows", [&t] { return status_of(specfast_plan_num_rows(t.mel) == 5); }},
      {"specfast_plan_num_frames",
       [&t] { return status_of(specfast_plan_num_frames(t.mel, 64) == 3); }},
      {"specfast_plan_num_kept",
       [&t] { return status_of(specfast_plan_num_kept(t.trained.plan, 64) > 0); }},
      {"specfast_workspace_create", create_workspace},
      {"specfast_workspace_destroy", create_workspace},
      {"specfast_workspace_create_with_runner",
       [&t, workspace_made] {
         specfast_workspace* workspace = nullptr;
         const specfast_status status =
             specfast_workspace_create_with_runner(t.mel, 2, run_in_turn, nullptr, &workspace);
         return workspace_made(status, workspace);
       }},
      {"specfast_execute", [&t] { return specfast_execute(t.mel, t.workspace, &t.mel_batch); }},
      {"specfast_execute", [&t] { return specfast_execute(t.mel, t.workspace, &t.bad_batch); },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_execute_keep",
       [&t] {
         return specfast_execute_keep(t.trained.plan, t.trained.workspace, &t.trained.batch,
                                      t.trained.kept.data());
       }},
      {"specfast_pull_back",
       [&t] {
         return specfast_pull_back(t.trained.plan, 2, &t.trained.batch, &t.trained.gradient);
       }},
      {"specfast_unmix_bands", [&t] { return unmix_three_frames(t.mel); }},
  };
}

std::vector<Case> cases_of_streams(Things& t) {
  specfast_stream* const stream = t.trained.stream;
  const auto create = [&t] {
    specfast_stream* made = nullptr;
    const specfast_status status = specfast_stream_create(t.trained.plan, &made);
    if ((status == SPECFAST_OK) != (made != nullptr))
      broken("stream_create", status, "a stream or NULL");
    specfast_stream_destroy(made);
    return status;
  };
  const auto is_answered = [](std::int64_t number) { return status_of(number >= 0); };
  return {
      {"specfast_stream_create", create},
      {"specfast_stream_destroy", create},
      {"specfast_stream_config_init",
       [] {
         specfast_stream_config config;
         return specfast_stream_config_init(&config, sizeof(config));
       }},
      {"specfast_stream_prepare",
       [&t, stream] { return specfast_stream_prepare(stream, &t.trained.stream_config); }},
      {"specfast_stream_push",
       [&t, stream] {
         specfast_stream_reset(stream);
         return specfast_stream_push(stream, &t.block, &t.frames);
       }},
      {"specfast_stream_flush",
       [&t, stream] {
         specfast_stream_reset(stream);
         return specfast_stream_flush(stream, &t.block, &t.frames);
       }},
      {"specfast_stream_push",
       [&t, stream] { return specfast_stream_push(stream, &t.block, &t.frames); },
       SPECFAST_E_OUT_OF_ORDER},
      {"specfast_stream_latency_samples",
       [=] { return is_answered(specfast_stream_latency_samples(stream)); }},
      {"specfast_stream_max_frames",
       [=] { return is_answered(specfast_stream_max_frames(stream)); }},
      {"specfast_stream_num_frames",
       [=] { return is_answered(specfast_stream_num_frames(stream, 1)); }},
      {"specfast_stream_flush_frames",
       [=] { return is_answered(specfast_stream_flush_frames(stream)); }},
      {"specfast_stream_state_bytes",
       [=] { return is_answered(specfast_stream_state_bytes(stream)); }},
      {"specfast_stream_load",
       [&t, stream] { return specfast_stream_load(stream, t.state.data(), t.state.size()); }},
      {"specfast_stream_save",
       [&t, stream] { return specfast_stream_save(stream, t.state.data(), t.state.size()); }},
      {"specfast_stream_load",
       [&t, stream] { return specfast_stream_load(stream, t.state.data(), 3); },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_stream_reset", [stream] { return specfast_stream_reset(stream); }},
  };
}

std::vector<Case> cases_of_inverses(Things& t) {
  const auto create = [&t] {
    specfast_inverse* made = nullptr;
    const specfast_status status = specfast_inverse_create(&t.stft_config, nullptr, &made);
    if ((status == SPECFAST_OK) != (made != nullptr))
      broken("inverse_create", status, "an inverse or NULL");
    specfast_inverse_destroy(made);
    return status;
  };
  const auto create_workspace = [&t] {
    specfast_workspace* made = nullptr;
    const specfast_status status =
        specfast_inverse_workspace_create(t.inverse, 2, run_in_turn, nullptr, &made);
    specfast_workspace_destroy(made);
    return status;
  };
  return {
      {"specfast_inverse_create", create},
      {"specfast_inverse_destroy", create},
      {"specfast_inverse_workspace_create", create_workspace},
      {"specfast_inverse_num_samples",
       [&t] { return status_of(specfast_inverse_num_samples(t.inverse, 3) == 64); }},
      {"specfast_inverse_max_samples",
       [&t] { return status_of(specfast_inverse_max_samples(t.inverse, 3) == 96); }},
      {"specfast_inverse_lost_samples",
       [&t] {
         std::int64_t begin, end;
         return specfast_inverse_lost_samples(t.inverse, 1, 32, &begin, &end);
       }},
      {"specfast_inverse_execute",
       [&t] { return specfast_inverse_execute(t.inverse, t.inverse_workspace, &t.spectra); }},
      {"specfast_inverse_execute",
       [&t] { return specfast_inverse_execute(t.inverse, t.workspace, nullptr); },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_inverse_pull_back",
       [&t] { return specfast_inverse_pull_back(t.inverse, 2, &t.spectra_gradient); }},
  };
}

std::vector<Case> cases_of_griffin_lim(Things& t) {
  const auto create = [&t] {
    specfast_griffin_lim* made = nullptr;
    const specfast_status status = specfast_griffin_lim_create(&t.stft_config, &t.search, &made);
    specfast_griffin_lim_destroy(made);
    return status;
  };
  return {
      {"specfast_griffin_lim_create", create},
      {"specfast_griffin_lim_destroy", create},
      {"specfast_griffin_lim_inverse",
       [&t] { return status_of(specfast_griffin_lim_inverse(t.griffin_lim) != nullptr); }},
      {"specfast_griffin_lim_execute",
       [&t] { return specfast_griffin_lim_execute(t.griffin_lim, 2, &t.magnitudes); }},
  };
}

std::vector<Case> cases_of_inverse_streams(Things& t) {
  specfast_inverse_stream* const stream = t.inverse_stream;
  const auto create = [&t] {
    specfast_inverse_stream* made = nullptr;
    const specfast_status status = specfast_inverse_stream_create(t.inverse, 2, -1, &made);
    if ((status == SPECFAST_OK) != (made != nullptr))
      broken("inverse_stream_create", status, "a stream or NULL");
    specfast_inverse_stream_destroy(made);
    return status;
  };
  const auto is_answered = [](std::int64_t number) { return status_of(number >= 0); };
  const auto run = [&t, stream](auto function) {
    specfast_inverse_stream_reset(stream);
    return function(stream, &t.spectra, &t.frames);
  };
  return {
      {"specfast_inverse_stream_create", create},
      {"specfast_inverse_stream_destroy", create},
      {"specfast_inverse_stream_push", [=] { return run(specfast_inverse_stream_push); }},
      {"specfast_inverse_stream_flush", [=] { return run(specfast_inverse_stream_flush); }},
      {"specfast_inverse_stream_push",
       [&t, stream] { return specfast_inverse_stream_push(stream, &t.spectra, &t.frames); },
       SPECFAST_E_OUT_OF_ORDER},
      {"specfast_inverse_stream_delay_samples",
       [=] { return is_answered(specfast_inverse_stream_delay_samples(stream)); }},
      {"specfast_inverse_stream_num_samples",
       [=] { return is_answered(specfast_inverse_stream_num_samples(stream, 1)); }},
      {"specfast_inverse_stream_flush_samples",
       [=] { return is_answered(specfast_inverse_stream_flush_samples(stream)); }},
      {"specfast_inverse_stream_state_bytes",
       [=] { return is_answered(specfast_inverse_stream_state_bytes(stream)); }},
      {"specfast_inverse_stream_load",
       [&t, stream] {
         return specfast_inverse_stream_load(stream, t.inverse_state.data(),
                                             t.inverse_state.size());
       }},
      {"specfast_inverse_stream_save",
       [&t, stream] {
         return specfast_inverse_stream_save(stream, t.inverse_state.data(),
                                             t.inverse_state.size());
       }},
      {"specfast_inverse_stream_load",
       [&t, stream] { return specfast_inverse_stream_load(stream, t.inverse_state.data(), 3); },
       SPECFAST_E_INVALID_ARGUMENT},
      {"specfast_inverse_stream_reset", [stream] { return specfast_inverse_stream_reset(stream); }},
  };
}

std::vector<Case> cases_of_devices(Things& t) {
  const auto create = [&t] {
    specfast_device_plan* plan = nullptr;
    const specfast_status status = specfast_device_plan_create(&t.mel_config, 0, 0, &plan);
    if ((status == SPECFAST_OK) != (plan != nullptr))
      broken("device_plan_create", status, "a plan or NULL");
    specfast_device_plan_destroy(plan);
    return status;
  };
  const auto allocate = [] {
    void* memory = nullptr;
    const specfast_status status = specfast_device_allocate(0, 64, &memory);
    if ((status == SPECFAST_OK) != (memory != nullptr))
      broken("device_allocate", status, "memory or NULL");
    specfast_device_free(0, memory);
    return status;
  };
  return {
      {"specfast_load_backend", [] { return specfast_load_backend(SPECFAST_HOST_BACKEND); }},
      {"specfast_load_backend", [] { return specfast_load_backend("another one"); },
       SPECFAST_E_OUT_OF_ORDER},
      {"specfast_get_device_info",
       [] {
         specfast_device_info info = {};
         info.struct_size = sizeof(info);
         return specfast_get_device_info(0, &info);
       }},
      {"specfast_device_plan_create", create},
      {"specfast_device_plan_destroy", create},
      {"specfast_execute_on_stream",
       [&t] {
         return specfast_execute_on_stream(t.on_device, &t.mel_batch, SPECFAST_FLOAT32, nullptr);
       }},
      {"specfast_device_allocate", allocate},
      {"specfast_device_free", allocate},
      {"specfast_copy_to_device",
       [&t] { return specfast_copy_to_device(0, t.values, t.state.data(), 8, nullptr); }},
      {"specfast_copy_to_host",
       [&t] { return specfast_copy_to_host(0, t.values, t.state.data(), 8, nullptr); }},
  };
}

// Makes the call in a new thread, which has no message yet, with so many allocations until one
// fails; returns whether one did. At first use tables may be made that stay.
bool is_starved(const Case& a_case, long allowed, bool is_first_use) {
  const long failed_before = num_failed, live_before = num_live;
  specfast_status status = SPECFAST_OK;
  std::thread thread([&] {
    allocations_left = allowed;
    status = a_case.call();
    allocations_left = -1;
    if (status != SPECFAST_OK && specfast_last_error()[0] == '\0')
      broken(a_case.function, status, "a message");
  });
  thread.join();
  if (!is_first_use && num_live != live_before)
    broken(a_case.function, status, "no loss of memory");
  const bool starved = num_failed > failed_before;
  count(a_case.function + sizeof("specfast"), status);
  if (status != a_case.expected && !(starved && status == SPECFAST_E_OUT_OF_MEMORY))
    broken(a_case.function, status, "what it returns with memory, or SPECFAST_E_OUT_OF_MEMORY");
  return starved;
}

void starve(const std::vector<Case>& cases, bool is_first_use) {
  for (const Case& a_case : cases) {
    long allowed = 0;
    while (is_starved(a_case, allowed, is_first_use)) ++allowed;
  }
}

}  // namespace

void starve() {
  // These would spare the library the search for a number of threads.
  forget_variable("SPECFAST_NUM_THREADS");
  forget_variable("OMP_NUM_THREADS");
  all_fail_then = true;
  starve(cases_of_the_library(), true);
  std::optional<Things> things(std::in_place);
  for (const bool all : {true, false}) {
    all_fail_then = all;
    starve(cases_of_the_library(), false);
    starve(cases_of_tables(*things), false);
    starve(cases_of_plans(*things), false);
    starve(cases_of_streams(*things), false);
    starve(cases_of_inverses(*things), false);
    starve(cases_of_inverse_streams(*things), false);
    starve(cases_of_griffin_lim(*things), false);
    starve(cases_of_devices(*things), false);
  }
  all_fail_then = false;
}

}  // namespace fuzz
