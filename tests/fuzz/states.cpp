// SPDX-License-Identifier: BSD-3-Clause
// States of streams, whole and damaged: a whole one goes on where it was saved; a damaged one is
// refused and changes nothing, or is a state to go on from.
#include <algorithm>

#include "common.h"

namespace {

using fuzz::Bytes;
using fuzz::kRefused;
using fuzz::Plan;
using fuzz::Random;
using fuzz::Session;
using fuzz::Signals;

// The rest of the signal, and its end: a stream that was loaded may be at its end, and one with
// padding "same" may not be able to end here.
void go_on(Random& random, Session& stream, const Signals& signals, std::int64_t begin,
           int allowed) {
  for (std::int64_t taken = begin; taken < signals.num_samples;) {
    const std::int64_t count = random.between(1, signals.num_samples - taken);
    if (!stream.push(signals, taken, count, allowed)) break;
    taken += count;
  }
  stream.flush(allowed);
}

void try_states(Random& random, const Plan& plan) {
  bool spoiled;
  specfast_stream_config config = fuzz::stream_config(random, plan.config, &spoiled);
  if (spoiled) return;
  const std::int64_t most = fuzz::most_values(random) / 2, channels = config.num_channels;
  const std::int64_t longest = random.between(1, most / 4);
  const Signals signals(random, channels,
                        std::max<std::int64_t>(fuzz::shortened(plan, longest, channels, most), 1));
  const std::int64_t samples = signals.num_samples, saved_at = random.below(samples + 1);
  if (plan.config.padding == SPECFAST_PADDING_SAME) config.num_samples = samples;
  config.max_block = samples;
  if (fuzz::num_values_of(plan, samples, channels) > 8 * most) return;

  // Both have given the same so far; then one of them goes on in a third one.
  Session first(plan, config), second(plan, config);
  first.push(signals, 0, saved_at);
  second.push(signals, 0, saved_at);
  const bool is_finished = random.one_in(6);
  if (is_finished) first.flush(kRefused);
  const Bytes state = first.state();

  const std::int64_t elsewhere = random.below(samples + 1);
  Session untouched(plan, config), loaded(plan, config);
  untouched.push(signals, 0, elsewhere);
  loaded.push(signals, 0, elsewhere);
  const Bytes bytes = fuzz::damaged(random, state);
  if (loaded.load(bytes, kRefused)) {
    if (loaded.state().size() != bytes.size())
      fuzz::broken("stream_state_bytes", 0, "the bytes that were loaded");
    go_on(random, loaded, signals, 0, kRefused);
  } else {
    go_on(random, loaded, signals, elsewhere, 0);
    go_on(random, untouched, signals, elsewhere, 0);
    loaded.compare(untouched, "what the stream gives that nothing was loaded into");
  }
  if (is_finished) return;
  Session third(plan, config);
  third.load(state, 0);
  Session rest(plan, config);
  rest.load(second.state(), 0);
  go_on(random, third, signals, saved_at, 0);
  go_on(random, rest, signals, saved_at, 0);
  third.compare(rest, "the frames behind equal states");
  first.compare(second, "the frames in front of them");
  go_on(random, first, signals, saved_at, 0);
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const Bytes &joined = first.frames(channel), &behind = third.frames(channel);
    const std::size_t size = second.frames(channel).size();
    if (joined.size() != size + behind.size() ||
        !fuzz::have_same_bits(plan.config.dtype, joined.data() + size, behind.data(),
                              behind.size()))
      fuzz::broken("stream_load", int(channel), "the frames of a stream that was not saved");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  Random random(bytes, num_bytes);
  if (random.one_in(3)) {
    fuzz::try_inverse_states(random);
  } else if (const auto plan = fuzz::sound_plan(random)) {
    try_states(random, *plan);
  }
  return 0;
}
