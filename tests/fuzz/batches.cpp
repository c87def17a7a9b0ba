// SPDX-License-Identifier: BSD-3-Clause
// Batches in any layout against one signal at a time in the simplest one: the same bits, and no
// byte written beside the elements of the output.
#include <algorithm>

#include "common.h"

namespace {

using fuzz::Bytes;
using fuzz::Layout;
using fuzz::Plan;
using fuzz::Random;
using fuzz::Signals;

constexpr unsigned char kUntouched = 0xa5;

// Signals [batch][channel], how long each is (empty: all of it), and how many frames of each are
// asked for (0: those that it has).
struct Wanted {
  Wanted(Random& random, const Plan& plan, std::int64_t batches, std::int64_t channels)
      : num_batches(batches),
        num_channels(channels),
        most(fuzz::most_values(random)),
        signals(random, batches * channels,
                fuzz::shortened(plan, random.below(most / 8), batches * channels, most)) {
    const std::int64_t rows = batches * channels * specfast_plan_num_rows(plan.handle);
    if (random.one_in(3) && rows > 0)
      num_frames = random.between(1, std::clamp<std::int64_t>(most / rows, 1, 60));
    if (!random.one_in(2)) return;
    for (std::int64_t i = 0; i < signals.num_signals; ++i)
      lengths.push_back(random.below(signals.num_samples + 1));
  }
  const std::int64_t* its_lengths() const { return lengths.empty() ? nullptr : lengths.data(); }

  std::int64_t num_batches, num_channels, most;
  Signals signals;
  std::int64_t num_frames = 0;
  std::vector<std::int64_t> lengths;
};

// What each signal gives alone; where the whole batch has one maximum, what all give together.
Bytes expected_of(const Plan& plan, const Wanted& wanted) {
  const Signals& signals = wanted.signals;
  const std::int64_t* const lengths = wanted.its_lengths();
  if (fuzz::clamps(plan.config) && plan.config.top_db_scope == SPECFAST_TOP_DB_BATCH)
    return fuzz::frames_of(plan, signals, 0, signals.num_signals, lengths, wanted.num_frames);
  Bytes all;
  for (std::int64_t i = 0; i < signals.num_signals; ++i) {
    const Bytes frames =
        fuzz::frames_of(plan, signals, i, 1, lengths ? lengths + i : nullptr, wanted.num_frames);
    all.insert(all.end(), frames.begin(), frames.end());
  }
  return all;
}

// The frames of a batch, in any layout, and the bytes around them.
class Output {
 public:
  Output(Random& random, const Plan& plan, const Wanted& wanted, std::int64_t frames)
      : plan_(plan),
        value_(fuzz::bytes_of(plan.config.dtype)),
        layout_(
            random,
            {wanted.num_batches, wanted.num_channels, frames, specfast_plan_num_rows(plan.handle)},
            false),
        bytes_(std::size_t(layout_.num_elements()) * value_, kUntouched) {}

  void place(specfast_batch& batch) {
    batch.output = bytes_.data() + std::size_t(layout_.origin()) * value_;
    batch.out_batch_stride = layout_.stride(0);
    batch.out_channel_stride = layout_.stride(1);
    batch.out_frame_stride = layout_.stride(2);
    batch.out_row_stride = layout_.stride(3);
  }

  void compare(const Bytes& expected) const {
    const std::vector<std::int64_t> places = layout_.places();
    if (places.size() * value_ != expected.size())
      fuzz::broken("execute", int(places.size()), "as many values as each signal alone gives");
    Bytes given(expected.size()), beside = bytes_;
    for (std::size_t i = 0; i < places.size(); ++i) {
      unsigned char* const from = beside.data() + std::size_t(places[i]) * value_;
      std::memcpy(given.data() + i * value_, from, value_);
      std::memset(from, kUntouched, value_);
    }
    if (!fuzz::have_same_bits(plan_.config.dtype, expected.data(), given.data(), given.size()))
      fuzz::broken("execute", 0, "the bits of each signal alone");
    for (const unsigned char byte : beside)
      if (byte != kUntouched) fuzz::broken("execute", byte, "no byte written beside the output");
  }

 private:
  const Plan& plan_;
  std::size_t value_;
  Layout layout_;
  Bytes bytes_;
};

// The samples of a batch, in any layout, several of them perhaps in one place: then the signals
// become what lies there.
class Input {
 public:
  Input(Random& random, Wanted& wanted)
      : sample_(fuzz::bytes_of(wanted.signals.dtype)),
        layout_(random, {wanted.num_batches, wanted.num_channels, wanted.signals.num_samples},
                random.one_in(3)),
        bytes_(std::size_t(layout_.num_elements()) * sample_) {
    Signals& signals = wanted.signals;
    unsigned char* const values = static_cast<unsigned char*>(signals.values.data());
    const std::vector<std::int64_t> places = layout_.places();
    const std::size_t count = places.size();
    const auto place_of = [&](std::size_t i) {
      return bytes_.data() + std::size_t(places[i]) * sample_;
    };
    for (std::size_t i = 0; i < count; ++i) std::memcpy(place_of(i), values + i * sample_, sample_);
    for (std::size_t i = 0; i < count; ++i) std::memcpy(values + i * sample_, place_of(i), sample_);
    before_ = bytes_;
    for (std::size_t i = 0; i < count; i += std::size_t(signals.num_samples))
      starts_.push_back(place_of(i));
  }

  void place(specfast_batch& batch, bool by_starts) const {
    batch.input = bytes_.data() + std::size_t(layout_.origin()) * sample_;
    batch.in_batch_stride = layout_.stride(0);
    batch.in_channel_stride = layout_.stride(1);
    batch.in_sample_stride = layout_.stride(2);
    if (!by_starts || starts_.empty()) return;
    batch.starts = starts_.data();
    batch.input = nullptr;
  }

  bool is_unchanged() const { return bytes_ == before_; }

 private:
  std::size_t sample_;
  Layout layout_;
  Bytes bytes_, before_;
  std::vector<const void*> starts_;
};

void try_batch(Random& random, const Plan& plan) {
  const std::int64_t batches = random.below(4);
  Wanted wanted(random, plan, batches, random.below(4));
  const Signals& signals = wanted.signals;
  const std::int64_t frames = wanted.num_frames
                                  ? wanted.num_frames
                                  : specfast_plan_num_frames(plan.handle, signals.num_samples);
  // Frames of padding alone may be too many.
  if (frames * signals.num_signals * specfast_plan_num_rows(plan.handle) > 8 * wanted.most) return;
  const Input input(random, wanted);
  Output output(random, plan, wanted, frames);
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.in_dtype = signals.dtype;
  batch.in_scale = signals.scale;
  batch.num_batches = wanted.num_batches;
  batch.num_channels = wanted.num_channels;
  batch.num_samples = signals.num_samples;
  batch.num_frames = wanted.num_frames;
  batch.lengths = wanted.its_lengths();
  input.place(batch, random.one_in(4));
  output.place(batch);
  fuzz::check("execute", specfast_execute(plan.handle, plan.workspace, &batch), 0);
  if (!input.is_unchanged()) fuzz::broken("execute", 0, "an input that stays as it is");
  output.compare(expected_of(plan, wanted));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t num_bytes) {
  Random random(bytes, num_bytes);
  const auto plan = fuzz::sound_plan(random);
  if (plan) try_batch(random, *plan);
  return 0;
}
