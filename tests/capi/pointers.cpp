// SPDX-License-Identifier: BSD-3-Clause
// Pointers that are not aligned to what they point to: each function, each of its pointers in turn,
// all other arguments being good.
#include <string>

#include "example.h"
#include "harness.h"

namespace fuzz {
namespace {

// A copy that begins 1 to alignof(T) - 1 bytes behind an aligned address, and ends where it must.
template <typename T>
class Misaligned {
 public:
  Misaligned(Random& random, const T& value)
      : buffer_(sizeof(T), std::size_t(random.between(1, alignof(T) - 1))) {
    std::memcpy(buffer_.data(), &value, sizeof(T));
  }
  T* get() const { return static_cast<T*>(buffer_.data()); }

 private:
  Buffer buffer_;
};

class Pointers {
 public:
  explicit Pointers(Random& random)
      : random_(random), good_(std::int32_t(random.below(2))), numbers_(kNumbers * 8 + 8) {}

  void try_plans();
  void try_batches();
  void try_gradients();
  void try_inverses();
  void try_griffin_lim();
  void try_streams();
  void try_bands();
  void try_tables();
  void try_devices();

 private:
  static constexpr std::size_t kNumbers = 128;

  // Somewhere behind an aligned address, with room for kNumbers numbers of `bytes` bytes.
  void* beside(std::size_t bytes) {
    return static_cast<unsigned char*>(numbers_.data()) +
           random_.between(1, std::int64_t(bytes) - 1);
  }
  void* beside() { return beside(bytes_of(good_.dtype)); }
  double* beside_doubles() { return static_cast<double*>(beside(sizeof(double))); }
  template <typename T>
  Misaligned<T> misaligned(const T& value) {
    return Misaligned<T>(random_, value);
  }

  void expect(const char* function, const char* argument, specfast_status status) {
    refused(function, status);
    const std::string wanted = std::string(argument) + " must be aligned to ";
    if (status != SPECFAST_E_INVALID_ARGUMENT ||
        wanted.compare(0, wanted.size(), specfast_last_error(), wanted.size()) != 0)
      broken(function, status, wanted.c_str());
  }

  Random& random_;
  Example good_;
  Buffer numbers_;
};

void Pointers::try_plans() {
  specfast_plan* plan = nullptr;
  specfast_workspace* workspace = nullptr;
  const auto config = misaligned(good_.config);
  const auto weights = misaligned(good_.weights);
  expect("config_init", "config", specfast_config_init(config.get(), sizeof(specfast_config), 0));
  expect("plan_create", "config", specfast_plan_create(config.get(), &plan));
  expect("plan_create", "plan", specfast_plan_create(&good_.config, misaligned(plan).get()));
  expect("plan_create_with_weights", "config",
         specfast_plan_create_with_weights(config.get(), &good_.weights, &plan));
  expect("plan_create_with_weights", "weights",
         specfast_plan_create_with_weights(&good_.config, weights.get(), &plan));
  expect("plan_create_with_weights", "plan",
         specfast_plan_create_with_weights(&good_.config, &good_.weights, misaligned(plan).get()));
  const auto runner = [](void*, std::int32_t, specfast_task, void*) {};
  expect("workspace_create", "workspace",
         specfast_workspace_create(good_.plan, 1, misaligned(workspace).get()));
  expect("workspace_create_with_runner", "workspace",
         specfast_workspace_create_with_runner(good_.plan, 1, runner, nullptr,
                                               misaligned(workspace).get()));

  specfast_config with_window = good_.config;
  with_window.window = beside_doubles();
  expect("plan_create", "window", specfast_plan_create(&with_window, &plan));
  expect("plan_create_with_weights", "window",
         specfast_plan_create_with_weights(&with_window, &good_.weights, &plan));
  const auto with = [&](const char* argument, auto specfast_config::* member) {
    specfast_config mel;
    specfast_config_init(&mel, sizeof(mel), SPECFAST_MODE_MEL);
    mel.*member = beside_doubles();
    expect("plan_create", argument, specfast_plan_create(&mel, &plan));
  };
  with("row_gain", &specfast_config::row_gain);
  with("row_offset", &specfast_config::row_offset);
  with("mel_weights", &specfast_config::mel_weights);
  specfast_weights kernels = good_.weights;
  kernels.real_kernel = beside();
  expect("plan_create_with_weights", "real_kernel",
         specfast_plan_create_with_weights(&good_.config, &kernels, &plan));
  kernels = good_.weights;
  kernels.imag_kernel = beside();
  expect("plan_create_with_weights", "imag_kernel",
         specfast_plan_create_with_weights(&good_.config, &kernels, &plan));
}

void Pointers::try_batches() {
  const auto execute = [this](const specfast_batch* batch) {
    return specfast_execute(good_.plan, good_.workspace, batch);
  };
  const auto keep = [this](const specfast_batch* batch, void* kept) {
    return specfast_execute_keep(good_.plan, good_.workspace, batch, kept);
  };
  const auto batch = misaligned(good_.batch);
  expect("execute", "batch", execute(batch.get()));
  expect("execute_keep", "batch", keep(batch.get(), good_.kept.data()));
  expect("execute_keep", "kept", keep(&good_.batch, beside()));
  specfast_batch input = good_.batch, output = good_.batch;
  input.input = beside();
  output.output = beside();
  expect("execute", "input", execute(&input));
  expect("execute", "output", execute(&output));
  expect("execute_keep", "input", keep(&input, good_.kept.data()));
  expect("execute_keep", "output", keep(&output, good_.kept.data()));
  specfast_batch clips = good_.batch;
  clips.lengths = static_cast<const std::int64_t*>(beside(sizeof(std::int64_t)));
  expect("execute", "lengths", execute(&clips));
  clips = good_.batch;
  clips.starts = static_cast<const void* const*>(beside(sizeof(void*)));
  expect("execute", "starts", execute(&clips));
  input.in_dtype = SPECFAST_INT16;
  input.input = beside(sizeof(std::int16_t));
  expect("execute", "input", execute(&input));
}

void Pointers::try_gradients() {
  const auto pull_back = [this](const specfast_batch* batch, const specfast_gradient* gradient) {
    return specfast_pull_back(good_.plan, 1, batch, gradient);
  };
  expect("pull_back", "batch", pull_back(misaligned(good_.batch).get(), &good_.gradient));
  expect("pull_back", "gradient", pull_back(&good_.batch, misaligned(good_.gradient).get()));
  specfast_batch input = good_.batch;
  input.input = beside();
  expect("pull_back", "input", pull_back(&input, &good_.gradient));
  const auto with = [&](const char* argument, auto specfast_gradient::* member) {
    specfast_gradient gradient = good_.gradient;
    gradient.*member = beside();
    expect("pull_back", argument, pull_back(&good_.batch, &gradient));
  };
  with("cotangent", &specfast_gradient::cotangent);
  with("kept", &specfast_gradient::kept);
  with("signal", &specfast_gradient::signal);
  with("real_kernel", &specfast_gradient::real_kernel);
  with("imag_kernel", &specfast_gradient::imag_kernel);
}

void Pointers::try_inverses() {
  specfast_inverse* inverse = nullptr;
  specfast_workspace* workspace = nullptr;
  specfast_inverse_stream* stream = nullptr;
  specfast_inverse_options options = {};
  options.struct_size = sizeof(options);
  specfast_config config = good_.config;
  config.mode = SPECFAST_MODE_STFT;
  config.padding = SPECFAST_PADDING_CENTER;
  config.window = nullptr;
  expect("inverse_create", "config",
         specfast_inverse_create(misaligned(config).get(), nullptr, &inverse));
  expect("inverse_create", "options",
         specfast_inverse_create(&config, misaligned(options).get(), &inverse));
  expect("inverse_create", "inverse",
         specfast_inverse_create(&config, &options, misaligned(inverse).get()));
  check("inverse_create", specfast_inverse_create(&config, &options, &inverse), 0);
  expect(
      "inverse_workspace_create", "workspace",
      specfast_inverse_workspace_create(inverse, 1, nullptr, nullptr, misaligned(workspace).get()));
  check("inverse_workspace_create",
        specfast_inverse_workspace_create(inverse, 1, nullptr, nullptr, &workspace), 0);
  expect("inverse_stream_create", "stream",
         specfast_inverse_stream_create(inverse, 1, -1, misaligned(stream).get()));
  check("inverse_stream_create", specfast_inverse_stream_create(inverse, 1, -1, &stream), 0);

  // One frame, whose bins all lie in the same place.
  const std::int64_t samples = specfast_inverse_max_samples(inverse, 1);
  std::int64_t number = 0;
  const auto beside_number = misaligned(number);
  expect("inverse_lost_samples", "at_begin",
         specfast_inverse_lost_samples(inverse, 1, samples, beside_number.get(), &number));
  expect("inverse_lost_samples", "at_end",
         specfast_inverse_lost_samples(inverse, 1, samples, &number, beside_number.get()));
  std::vector<double> values(std::size_t(samples) + 2);
  specfast_spectra spectra = {};
  spectra.struct_size = sizeof(spectra);
  spectra.real = spectra.imag = values.data();
  spectra.num_batches = spectra.num_channels = spectra.num_frames = 1;
  spectra.signal = values.data();
  spectra.num_samples = samples;
  spectra.signal_sample_stride = 1;
  const auto execute = [&](const specfast_spectra* given) {
    return specfast_inverse_execute(inverse, workspace, given);
  };
  expect("inverse_execute", "spectra", execute(misaligned(spectra).get()));
  const auto with = [&](const char* argument, auto specfast_spectra::* member) {
    specfast_spectra given = spectra;
    given.*member = beside();
    expect("inverse_execute", argument, execute(&given));
    if (argument[0] != 's')
      expect("inverse_stream_push", argument,
             specfast_inverse_stream_push(stream, &given, &number));
  };
  with("real", &specfast_spectra::real);
  with("imag", &specfast_spectra::imag);
  with("signal", &specfast_spectra::signal);
  using Call = std::pair<const char*, decltype(&specfast_inverse_stream_push)>;
  for (const auto& [name, call] : {Call("inverse_stream_push", specfast_inverse_stream_push),
                                   Call("inverse_stream_flush", specfast_inverse_stream_flush)}) {
    expect(name, "spectra", call(stream, misaligned(spectra).get(), &number));
    expect(name, "num_samples", call(stream, &spectra, beside_number.get()));
  }

  specfast_inverse_gradient gradient = {};
  gradient.struct_size = sizeof(gradient);
  gradient.cotangent = values.data();
  gradient.num_batches = gradient.num_channels = gradient.num_frames = 1;
  gradient.num_samples = samples;
  gradient.real = gradient.imag = values.data();
  const auto pull_back = [&](const char* argument, auto specfast_inverse_gradient::* member) {
    specfast_inverse_gradient given = gradient;
    given.*member = beside();
    expect("inverse_pull_back", argument, specfast_inverse_pull_back(inverse, 1, &given));
  };
  expect("inverse_pull_back", "gradient",
         specfast_inverse_pull_back(inverse, 1, misaligned(gradient).get()));
  pull_back("cotangent", &specfast_inverse_gradient::cotangent);
  pull_back("real", &specfast_inverse_gradient::real);
  pull_back("imag", &specfast_inverse_gradient::imag);
  specfast_inverse_stream_destroy(stream);
  specfast_workspace_destroy(workspace);
  specfast_inverse_destroy(inverse);
}

void Pointers::try_griffin_lim() {
  specfast_griffin_lim* griffin_lim = nullptr;
  specfast_griffin_lim_options options = {sizeof(options), 1, 0.5, 0};
  specfast_config config = good_.config;
  config.mode = SPECFAST_MODE_STFT;
  config.padding = SPECFAST_PADDING_CENTER;
  config.window = nullptr;
  expect("griffin_lim_create", "config",
         specfast_griffin_lim_create(misaligned(config).get(), &options, &griffin_lim));
  expect("griffin_lim_create", "options",
         specfast_griffin_lim_create(&config, misaligned(options).get(), &griffin_lim));
  expect("griffin_lim_create", "griffin_lim",
         specfast_griffin_lim_create(&config, &options, misaligned(griffin_lim).get()));
  check("griffin_lim_create", specfast_griffin_lim_create(&config, &options, &griffin_lim), 0);
  std::vector<double> values(std::size_t(config.frame_length) + 2);
  specfast_magnitudes arrays = {};
  arrays.struct_size = sizeof(arrays);
  arrays.magnitudes = arrays.signal = values.data();
  arrays.num_batches = arrays.num_channels = arrays.num_frames = 1;
  arrays.num_samples = 1;
  arrays.signal_sample_stride = 1;
  expect("griffin_lim_execute", "arrays",
         specfast_griffin_lim_execute(griffin_lim, 1, misaligned(arrays).get()));
  specfast_magnitudes given = arrays;
  given.magnitudes = beside();
  expect("griffin_lim_execute", "magnitudes", specfast_griffin_lim_execute(griffin_lim, 1, &given));
  given = arrays;
  given.signal = beside();
  expect("griffin_lim_execute", "signal", specfast_griffin_lim_execute(griffin_lim, 1, &given));
  specfast_griffin_lim_destroy(griffin_lim);
}

void Pointers::try_streams() {
  specfast_stream* stream = nullptr;
  expect("stream_create", "stream", specfast_stream_create(good_.plan, misaligned(stream).get()));
  const auto config = misaligned(good_.stream_config);
  expect("stream_config_init", "config",
         specfast_stream_config_init(config.get(), sizeof(specfast_stream_config)));
  expect("stream_prepare", "config", specfast_stream_prepare(good_.stream, config.get()));

  const specfast_block good = good_.block();
  std::int64_t frames = 0;
  const auto beside_frames = misaligned(frames);
  using Call = std::pair<const char*, decltype(&specfast_stream_push)>;
  for (const auto& [name, call] :
       {Call("stream_push", specfast_stream_push), Call("stream_flush", specfast_stream_flush)}) {
    expect(name, "block", call(good_.stream, misaligned(good).get(), &frames));
    expect(name, "num_frames", call(good_.stream, &good, beside_frames.get()));
  }
  specfast_block input = good, output = good;
  input.input = beside();
  output.output = beside();
  expect("stream_push", "input", specfast_stream_push(good_.stream, &input, &frames));
  expect("stream_push", "output", specfast_stream_push(good_.stream, &output, &frames));
  // A state is bytes, and needs no alignment.
  const std::size_t bytes = std::size_t(specfast_stream_state_bytes(good_.stream));
  const Buffer state(bytes, std::size_t(random_.between(1, 7)));
  check("stream_save", specfast_stream_save(good_.stream, state.data(), bytes), 0);
  check("stream_load", specfast_stream_load(good_.stream, state.data(), bytes), 0);
}

#if defined(SPECFAST_HOST_BACKEND)
void Pointers::try_devices() {
  check("load_backend", specfast_load_backend(SPECFAST_HOST_BACKEND), 0);
  specfast_device_info info = {};
  info.struct_size = sizeof(info);
  expect("get_device_info", "info", specfast_get_device_info(0, misaligned(info).get()));
  specfast_device_plan* plan = nullptr;
  expect("device_plan_create", "config",
         specfast_device_plan_create(misaligned(good_.config).get(), 0, 0, &plan));
  expect("device_plan_create", "plan",
         specfast_device_plan_create(&good_.config, 0, 0, misaligned(plan).get()));
  void* memory = nullptr;
  expect("device_allocate", "memory", specfast_device_allocate(0, 8, misaligned(memory).get()));

  check("device_plan_create", specfast_device_plan_create(&good_.config, 0, 0, &plan), 0);
  const auto execute = [&](const specfast_batch* batch) {
    return specfast_execute_on_stream(plan, batch, good_.dtype, nullptr);
  };
  expect("execute_on_stream", "batch", execute(misaligned(good_.batch).get()));
  specfast_batch input = good_.batch, output = good_.batch;
  input.input = beside();
  output.output = beside();
  expect("execute_on_stream", "input", execute(&input));
  expect("execute_on_stream", "output", execute(&output));
  specfast_device_plan_destroy(plan);
}
#endif

void Pointers::try_bands() {
  specfast_config config;
  specfast_config_init(&config, sizeof(config), SPECFAST_MODE_MEL);
  config.dtype = good_.dtype;
  specfast_plan* plan = nullptr;
  check("plan_create", specfast_plan_create(&config, &plan), 0);
  std::vector<double> values(std::size_t(config.fft_length / 2 + 1));
  specfast_bands bands = {};
  bands.struct_size = sizeof(bands);
  bands.num_signals = bands.num_frames = bands.num_iterations = 1;
  bands.bins_bin_stride = 1;
  double energy = 1;
  bands.energies = &energy;  // of all bands
  bands.bins = values.data();
  check("unmix_bands", specfast_unmix_bands(plan, 1, &bands), 0);
  expect("unmix_bands", "bands", specfast_unmix_bands(plan, 1, misaligned(bands).get()));
  specfast_bands energies = bands, bins = bands;
  energies.energies = beside();
  bins.bins = beside();
  expect("unmix_bands", "energies", specfast_unmix_bands(plan, 1, &energies));
  expect("unmix_bands", "bins", specfast_unmix_bands(plan, 1, &bins));
  specfast_plan_destroy(plan);
}

void Pointers::try_tables() {
  const auto config = misaligned(good_.config);
  specfast_config with_window = good_.config;
  with_window.window = beside_doubles();
  std::vector<double> values(kNumbers);
  double* const hz = values.data();
  expect("window", "values", specfast_window("hann", 9, 1, beside_doubles()));
  expect("mel_weights", "weights", specfast_mel_weights(3, 9, 8000, 0, 4000, beside_doubles()));
  expect("analytic_weights", "config", specfast_analytic_weights(config.get(), hz, hz));
  expect("analytic_weights", "window", specfast_analytic_weights(&with_window, hz, hz));
  expect("analytic_weights", "real_kernel",
         specfast_analytic_weights(&good_.config, beside_doubles(), hz));
  expect("analytic_weights", "imag_kernel",
         specfast_analytic_weights(&good_.config, hz, beside_doubles()));
  expect("frequencies", "config", specfast_frequencies(config.get(), hz));
  expect("frequencies", "window", specfast_frequencies(&with_window, hz));
  expect("frequencies", "hz", specfast_frequencies(&good_.config, beside_doubles()));
  std::uint8_t is_empty[128];
  expect("config_empty_bands", "config", specfast_config_empty_bands(config.get(), is_empty));
  specfast_build_info info = {};
  info.struct_size = sizeof(info);
  expect("get_build_info", "info", specfast_get_build_info(misaligned(info).get()));
}

}  // namespace

void refuse_misaligned(Random& random) {
  Pointers pointers(random);
  pointers.try_plans();
  pointers.try_batches();
  pointers.try_gradients();
  pointers.try_inverses();
  pointers.try_griffin_lim();
  pointers.try_streams();
  pointers.try_bands();
  pointers.try_tables();
#if defined(SPECFAST_HOST_BACKEND)
  pointers.try_devices();
#endif
}

}  // namespace fuzz
