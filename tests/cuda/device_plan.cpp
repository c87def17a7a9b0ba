// SPDX-License-Identifier: BSD-3-Clause
// A program in C++ that computes levels of 16-bit samples by specfast::DevicePlan and by
// specfast::Plan, and sees failures as exceptions. Its argument is the library for GPUs; it prints
// what is wrong.
#include <cmath>
#include <cstdio>
#include <specfast/specfast.hpp>
#include <string>
#include <vector>

namespace {

constexpr double kAcceptedDecibels = 2e-3;
int num_wrong = 0;

void expect(bool is_so, const std::string& what) {
  if (is_so) return;
  std::printf("wrong: %s\n", what.c_str());
  ++num_wrong;
}

// A call must throw an Error of this status, whose message says this.
template <typename Call>
void expect_error(specfast_status status, const std::string& message, const Call& call) {
  try {
    call();
    expect(false, "no error with " + message);
  } catch (const specfast::Error& error) {
    expect(error.status() == status, "the status of " + message);
    expect(std::string(error.what()).find(message) != std::string::npos, error.what());
  }
}

void run(const char* backend) {
  specfast_config config = specfast::default_config(SPECFAST_MODE_MEL);
  config.frame_length = config.fft_length = 256;
  config.hop = 64;
  config.num_mel_bins = 20;
  constexpr std::int64_t kChannels = 2, kSamples = 1500;
  std::vector<std::int16_t> samples(kChannels * kSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = std::int16_t(20000 * std::sin(0.002 * double(i * i % 9001)));
  }
  specfast::Signals signals = specfast::interleaved(samples.data(), kChannels, kSamples);
  signals.scale = 1.0 / 32768;

  const specfast::Plan plan(config);
  specfast::Workspace workspace(plan, 1);
  const std::size_t size = std::size_t(kChannels * plan.num_frames(kSamples) * plan.num_rows());
  std::vector<float> wanted(size), result(size, NAN);
  plan.execute(workspace, signals, specfast::by_row(wanted));

  expect_error(SPECFAST_E_UNAVAILABLE_DEVICE, "no backend is loaded",
               [&] { specfast::DevicePlan{config}; });
  specfast::load_backend(backend);
  expect(specfast::device_info().num_devices == 1, "the number of devices");
  const std::int64_t bytes_in = std::int64_t(samples.size() * sizeof(samples[0]));
  const std::int64_t bytes_out = std::int64_t(size * sizeof(float));
  specfast::DeviceMemory input(0, bytes_in), output(0, bytes_out);
  const specfast::DevicePlan on_device(config);
  input.fill(samples.data(), bytes_in, nullptr);
  specfast_batch batch = plan.batch_of(signals, specfast::by_row(wanted));
  batch.input = input.get();
  batch.output = output.get();
  on_device.execute(batch, SPECFAST_FLOAT32, nullptr);
  specfast::wait_for_stream(0, nullptr);
  output.read(result.data(), bytes_out, nullptr);
  double largest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double difference = std::abs(double(result[i]) - double(wanted[i]));
    if (!(difference <= largest)) largest = difference;  // NaN too
  }
  expect(largest <= kAcceptedDecibels, std::to_string(largest) + " dB from the CPU");

  const auto invalid = SPECFAST_E_INVALID_ARGUMENT;
  expect_error(SPECFAST_E_UNAVAILABLE_DEVICE, "device=1", [&] { specfast::DevicePlan(config, 1); });
  expect_error(invalid, "workspace_bytes=-1", [&] { specfast::DevicePlan(config, 0, -1); });
  expect_error(invalid, "num_bytes=-1", [] { specfast::DeviceMemory(0, -1); });
  expect_error(invalid, "from must not be NULL", [&] { input.fill(nullptr, 1, nullptr); });
  expect_error(invalid, "out_dtype=1",
               [&] { on_device.execute(batch, SPECFAST_FLOAT64, nullptr); });
  batch.num_samples = -1;
  expect_error(invalid, "num_samples=-1",
               [&] { on_device.execute(batch, SPECFAST_FLOAT32, nullptr); });
  // Room is counted before a structure is made.
  expect_error(invalid, "frames must have room", [&] {
    wanted.pop_back();
    plan.batch_of(signals, specfast::by_row(wanted));
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    run(argv[1]);
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  return num_wrong ? 1 : 0;
}
