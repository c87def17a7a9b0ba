// SPDX-License-Identifier: BSD-3-Clause
// Signals cut into pieces anyhow, against the same signals in one piece and in one call.
#include <algorithm>

#include "common.h"

namespace {

using fuzz::Bytes;
using fuzz::Plan;
using fuzz::Random;
using fuzz::Session;
using fuzz::Signals;

void try_stream(Random& random, const Plan& plan) {
  bool spoiled;
  specfast_stream_config config = fuzz::stream_config(random, plan.config, &spoiled);
  if (spoiled) return;
  const std::int64_t most = fuzz::most_values(random), channels = config.num_channels;
  const Signals signals(random, channels,
                        fuzz::shortened(plan, random.below(most / 8), channels, most));
  const std::int64_t samples = signals.num_samples;
  const bool is_same = plan.config.padding == SPECFAST_PADDING_SAME;
  if (is_same) config.num_samples = samples + plan.config.hop * random.between(1, 3);
  config.max_block = std::max<std::int64_t>(samples, 1);
  if (fuzz::num_values_of(plan, samples, channels) > 8 * most) return;

  Session whole(plan, config), pieces(plan, config);
  whole.push(signals, 0, samples);
  whole.flush();
  const bool one_by_one = samples < 200 && random.one_in(4);
  for (std::int64_t taken = 0; taken < samples;) {
    const std::int64_t longest =
        std::min<std::int64_t>(samples - taken, random.one_in(3) ? 400 : 30);
    const std::int64_t count = one_by_one ? 1 : random.between(0, longest);
    pieces.push(signals, taken, count);
    taken += count;
  }
  pieces.flush();
  pieces.compare(whole, "the bits of one piece");

  if (config.max_rule != SPECFAST_MAX_NONE) return;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const Bytes expected = fuzz::frames_of(plan, signals, channel, 1, nullptr, 0);
    const Bytes& given = whole.frames(channel);
    if (given.size() != expected.size() ||
        !fuzz::have_same_bits(plan.config.dtype, given.data(), expected.data(), given.size()))
      fuzz::broken("stream_flush", int(channel), "the bits of one call");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  Random random(bytes, num_bytes);
  const auto plan = fuzz::sound_plan(random);
  if (plan) try_stream(random, *plan);
  return 0;
}
