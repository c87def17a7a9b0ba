// SPDX-License-Identifier: BSD-3-Clause
#include "common.h"

#include <algorithm>

// What is freed stays out of use for some inputs, not for hundreds of them, whose memory would be
// in no cache.
extern "C" const char* __asan_default_options() {
  return "quarantine_size_mb=8:thread_local_quarantine_size_kb=256";
}

namespace fuzz {
namespace {

// Tasks one after the other, the last one first.
void run_backwards(void*, std::int32_t num_tasks, specfast_task task, void* argument) {
  for (std::int32_t index = num_tasks; index-- > 0;) task(argument, index);
}

specfast_block empty_block() {
  specfast_block block = {};
  block.struct_size = sizeof(block);
  return block;
}

}  // namespace

std::unique_ptr<Plan> sound_plan(Random& random) {
  std::vector<double> arrays;
  bool spoiled;
  auto plan = std::make_unique<Plan>();
  plan->config = plan_config(random, arrays, &spoiled);
  const std::int64_t longest = random.one_in(16) ? 1 << 13 : 1 << 10;
  if (spoiled || plan->config.fft_length > longest) return nullptr;
  if (random.one_in(4)) {
    create_weighted_plan(random, *plan, false);
  } else {
    check("plan_create", specfast_plan_create(&plan->config, &plan->handle), 0);
  }
  if (!plan->handle) return nullptr;
  check("workspace_create_with_runner",
        specfast_workspace_create_with_runner(plan->handle, std::int32_t(random.between(1, 4)),
                                              run_backwards, nullptr, &plan->workspace),
        0);
  return plan;
}

std::int64_t most_values(Random& random) {
  return std::int64_t(1) << (random.one_in(128) ? 16 : random.one_in(8) ? 13 : 10);
}

Signals::Signals(Random& random, std::int64_t its_num_signals, std::int64_t its_num_samples)
    : dtype(std::int32_t(random.below(3))),
      scale(random.one_in(3) ? 1.0 / 32768 : 0),
      num_signals(its_num_signals),
      num_samples(its_num_samples),
      values(std::size_t(num_signals * num_samples) * bytes_of(dtype)) {
  fill(random, values.data(), dtype, num_signals * num_samples);
}

const unsigned char* Signals::at(std::int64_t signal, std::int64_t sample) const {
  return static_cast<const unsigned char*>(values.data()) +
         std::size_t(signal * num_samples + sample) * bytes_of(dtype);
}

Layout::Layout(Random& random, std::vector<std::int64_t> shape, bool may_repeat)
    : shape_(std::move(shape)), strides_(shape_.size(), 0) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    const auto at = random.below(std::int64_t(axes.size()) + 1);
    axes.insert(axes.begin() + std::ptrdiff_t(at), axis);
  }
  for (const std::size_t axis : axes) {
    if (may_repeat && random.one_in(6)) continue;
    const std::int64_t stride = num_elements_ + (random.one_in(2) ? 0 : random.below(3));
    const std::int64_t reach = stride * std::max<std::int64_t>(shape_[axis] - 1, 0);
    const bool is_backwards = random.one_in(3);
    strides_[axis] = is_backwards ? -stride : stride;
    if (is_backwards) origin_ += reach;
    num_elements_ += reach;
  }
}

std::vector<std::int64_t> Layout::places() const {
  std::vector<std::int64_t> places = {origin_};
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    std::vector<std::int64_t> behind;
    behind.reserve(places.size() * std::size_t(shape_[axis]));
    for (const std::int64_t place : places)
      for (std::int64_t i = 0; i < shape_[axis]; ++i) behind.push_back(place + i * strides_[axis]);
    places = std::move(behind);
  }
  return places;
}

Bytes frames_of(const Plan& plan, const Signals& signals, std::int64_t first, std::int64_t count,
                const std::int64_t* lengths, std::int64_t num_frames) {
  const std::int64_t rows = specfast_plan_num_rows(plan.handle);
  const std::int64_t frames =
      num_frames ? num_frames : specfast_plan_num_frames(plan.handle, signals.num_samples);
  Bytes output(std::size_t(count * frames * rows) * bytes_of(plan.config.dtype) + 1);
  specfast_batch batch = {};
  batch.struct_size = sizeof(batch);
  batch.input = signals.at(first);
  batch.in_dtype = signals.dtype;
  batch.in_scale = signals.scale;
  batch.num_batches = 1;
  batch.num_channels = count;
  batch.num_samples = signals.num_samples;
  batch.in_channel_stride = signals.num_samples;
  batch.in_sample_stride = 1;
  batch.output = output.data();
  batch.out_channel_stride = frames * rows;
  batch.out_frame_stride = rows;
  batch.out_row_stride = 1;
  batch.num_frames = num_frames;
  batch.lengths = lengths;
  check("execute", specfast_execute(plan.handle, plan.workspace, &batch), 0);
  output.pop_back();
  return output;
}

Session::Session(const Plan& plan, const specfast_stream_config& config)
    : plan_(plan), frames_(std::size_t(config.num_channels)) {
  check("stream_create", specfast_stream_create(plan.handle, &handle_), 0);
  check("stream_prepare", specfast_stream_prepare(handle_, &config), 0);
}

bool Session::push(const Signals& signals, std::int64_t begin, std::int64_t count, int allowed) {
  specfast_block block = empty_block();
  block.input = signals.at(0, begin);
  block.in_dtype = signals.dtype;
  block.in_scale = signals.scale;
  block.num_samples = count;
  block.in_channel_stride = signals.num_samples;
  block.in_sample_stride = 1;
  return call(false, block, specfast_stream_num_frames(handle_, count), allowed);
}

bool Session::flush(int allowed) {
  specfast_block block = empty_block();
  return call(true, block, specfast_stream_flush_frames(handle_), allowed);
}

bool Session::call(bool is_flush, specfast_block& block, std::int64_t announced, int allowed) {
  const char* const function = is_flush ? "stream_flush" : "stream_push";
  if (announced < 0 || announced > specfast_stream_max_frames(handle_))
    broken(function, int(announced), "no more frames than max_frames");
  const std::int64_t rows = specfast_plan_num_rows(plan_.handle);
  const std::size_t size = std::size_t(announced * rows) * bytes_of(plan_.config.dtype);
  const Buffer output(size * frames_.size());
  block.output = output.data();
  block.max_frames = announced;
  block.out_channel_stride = announced * rows;
  block.out_frame_stride = rows;
  block.out_row_stride = 1;
  std::int64_t given = -1;
  const auto function_of = is_flush ? specfast_stream_flush : specfast_stream_push;
  if (!check(function, function_of(handle_, &block, &given), allowed)) return false;
  if (given != announced) broken(function, int(given), "as many frames as were announced");
  const unsigned char* from = static_cast<const unsigned char*>(output.data());
  for (Bytes& kept : frames_) {
    kept.insert(kept.end(), from, from + size);
    from += size;
  }
  return true;
}

Bytes Session::state() const {
  Bytes bytes(std::size_t(specfast_stream_state_bytes(handle_)));
  check("stream_save", specfast_stream_save(handle_, bytes.data(), bytes.size()), 0);
  return bytes;
}

bool Session::load(const Bytes& state, int allowed) {
  return check("stream_load", specfast_stream_load(handle_, state.data(), state.size()), allowed);
}

void Session::compare(const Session& other, const char* expected) const {
  for (std::size_t channel = 0; channel < frames_.size(); ++channel) {
    const Bytes &ours = frames_[channel], &theirs = other.frames_[channel];
    if (ours.size() != theirs.size() ||
        !have_same_bits(plan_.config.dtype, ours.data(), theirs.data(), ours.size()))
      broken("stream_flush", int(channel), expected);
  }
}

}  // namespace fuzz
