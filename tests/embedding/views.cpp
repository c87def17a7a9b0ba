// SPDX-License-Identifier: BSD-3-Clause
// Views of samples and frames give the values of structures filled by hand, and refuse what does
// not fit. Prints the line that failed, or "ok".
#include <cstdio>
#include <cstdlib>
#include <specfast/specfast.hpp>
#include <utility>

namespace {

void require(bool ok, int line) {
  if (ok) return;
  std::printf("views.cpp:%d\n", line);
  std::exit(1);
}
#define REQUIRE(...) require(__VA_ARGS__, __LINE__)

// The status with which a call is refused.
template <typename Call>
specfast_status status_of(const Call& call) {
  try {
    call();
  } catch (const specfast::Error& error) {
    return error.what()[0] ? error.status() : SPECFAST_E_INTERNAL;
  }
  return SPECFAST_OK;
}

constexpr std::int64_t kChannels = 3, kSamples = 2000;

// The same samples as [channel][sample] and as [sample][channel].
std::pair<std::vector<double>, std::vector<double>> two_orders() {
  std::vector<double> apart(kChannels * kSamples), together(apart.size());
  for (std::int64_t c = 0; c < kChannels; ++c)
    for (std::int64_t s = 0; s < kSamples; ++s)
      apart[std::size_t(c * kSamples + s)] = together[std::size_t(s * kChannels + c)] =
          double((s * 37 + c * 11) % 101) / 101;
  return {apart, together};
}

void whole_signals(const specfast::Plan& plan) {
  const auto [apart, together] = two_orders();
  const specfast::Signals signals = specfast::contiguous(apart.data(), kChannels, kSamples);
  const std::int64_t rows = plan.num_rows(), frames = plan.num_frames(kSamples);
  std::vector<float> by_frame(plan.num_values(signals)), by_row(by_frame.size());
  std::vector<float> spread(by_frame.size() * 2, -1.0f);
  REQUIRE(by_frame.size() == std::size_t(kChannels * rows * frames));
  specfast::Workspace workspace(plan, 1);
  plan.execute(workspace, signals, specfast::by_frame(by_frame));
  plan.execute(workspace, specfast::interleaved(together.data(), kChannels, kSamples),
               specfast::by_row(by_row));
  const specfast::FrameStrides strides{0, 2 * rows * frames, 2 * rows, 2};
  plan.execute(workspace, signals, specfast::by_strides(spread.data(), strides, frames));
  std::vector<float> one(std::size_t(rows * frames));
  plan.execute(workspace, specfast::strided(together.data() + 1, kSamples, kChannels),
               specfast::by_frame(one));
  for (std::int64_t c = 0; c < kChannels; ++c)
    for (std::int64_t f = 0; f < frames; ++f)
      for (std::int64_t r = 0; r < rows; ++r) {
        const float value = by_frame[std::size_t((c * frames + f) * rows + r)];
        REQUIRE(value == by_row[std::size_t((c * rows + r) * frames + f)]);
        REQUIRE(value == spread[std::size_t(2 * ((c * frames + f) * rows + r))]);
        REQUIRE(c != 1 || value == one[std::size_t(f * rows + r)]);
      }

  const auto refused = [&](const specfast::Frames& into) {
    return status_of([&] { plan.execute(workspace, signals, into); }) ==
           SPECFAST_E_INVALID_ARGUMENT;
  };
  std::vector<double> wide(by_frame.size());
  REQUIRE(refused(specfast::by_frame(wide)));
  REQUIRE(refused(specfast::by_frame(by_frame.data(), by_frame.size() - 1)));
  REQUIRE(refused(specfast::by_row(by_row.data(), by_row.size() - 1)));
  REQUIRE(refused(specfast::by_strides(spread.data(), strides, frames - 1)));
}

void gradients(const specfast::Plan& plan) {
  const auto [apart, together] = two_orders();
  const specfast::Signals signals = specfast::contiguous(apart.data(), kChannels, kSamples);
  const std::vector<float> ones(plan.num_values(signals), 1.0f);
  std::vector<float> first(apart.size()), second(apart.size());
  plan.pull_back(1, signals, specfast::by_frame(ones), first.data());
  plan.pull_back(1, specfast::interleaved(together.data(), kChannels, kSamples),
                 specfast::by_row(ones), second.data());
  REQUIRE(first == second);
  std::vector<double> wide(apart.size());
  REQUIRE(status_of([&] { plan.pull_back(1, signals, specfast::by_frame(ones), wide.data()); }) ==
          SPECFAST_E_INVALID_ARGUMENT);
}

void streams(const specfast::Plan& plan) {
  const auto [apart, together] = two_orders();
  specfast_stream_config config = specfast::default_stream_config();
  config.num_channels = kChannels;
  config.max_block = 100;
  specfast::Stream stream(plan, config);
  const std::int64_t rows = plan.num_rows(), frames = plan.num_frames(kSamples);
  std::vector<float> whole(std::size_t(kChannels * rows * frames)), piece(stream.max_values());
  specfast::Workspace workspace(plan, 1);
  plan.execute(workspace, specfast::contiguous(apart.data(), kChannels, kSamples),
               specfast::by_frame(whole));
  std::int64_t done = 0;
  for (std::int64_t s = 0; s < kSamples; s += 100) {
    const std::int64_t ready =
        stream.push(specfast::interleaved(together.data() + s * kChannels, kChannels, 100),
                    specfast::by_frame(piece));
    for (std::int64_t c = 0; c < kChannels; ++c)
      for (std::int64_t i = 0; i < ready * rows; ++i)
        REQUIRE(whole[std::size_t((c * frames + done) * rows + i)] ==
                piece[std::size_t(c * stream.max_frames() * rows + i)]);
    done += ready;
  }
  REQUIRE(done + stream.flush(specfast::by_frame(piece)) == frames);

  // A question that is refused says why.
  REQUIRE(status_of([&] { stream.num_frames(-1); }) == SPECFAST_E_INVALID_ARGUMENT);
  const specfast::Signals mono = specfast::contiguous(apart.data(), 1, 100);
  REQUIRE(status_of([&] { stream.push(mono, specfast::by_frame(piece)); }) ==
          SPECFAST_E_INVALID_ARGUMENT);
  const specfast::Signals more = specfast::contiguous(apart.data(), kChannels, 100);
  REQUIRE(status_of([&] { stream.push(more, specfast::by_frame(piece)); }) ==
          SPECFAST_E_OUT_OF_ORDER);
}

}  // namespace

int main() {
  const specfast::Plan plan(specfast::default_config(SPECFAST_MODE_MAGNITUDE));
  whole_signals(plan);
  gradients(plan);
  streams(plan);
  REQUIRE(specfast::mode_names().size() == 8);
  REQUIRE(status_of([] { specfast::frequencies(specfast::default_config(SPECFAST_MODE_PSD)); }) ==
          SPECFAST_E_INVALID_ARGUMENT);
  REQUIRE(specfast::frequencies(specfast::default_config(SPECFAST_MODE_MEL)).size() == 128);
  std::printf("ok\n");
}
