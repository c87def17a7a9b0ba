// SPDX-License-Identifier: BSD-3-Clause
#include "python/stream.h"

#include <optional>
#include <stdexcept>
#include <string_view>

namespace specfast_python {
namespace {

constexpr std::int64_t kMaxSamples = std::int64_t(1) << 62;

specfast_stream_config stream_config(std::int64_t num_channels, const std::string& max_rule,
                                     double max_db, std::int64_t num_samples) {
  specfast_stream_config config = specfast::default_stream_config();
  config.num_channels = num_channels;
  config.max_block = kMaxSamples;
  config.max_rule = max_rule == "fixed"     ? SPECFAST_MAX_FIXED
                    : max_rule == "running" ? SPECFAST_MAX_RUNNING
                                            : SPECFAST_MAX_NONE;
  config.max_db = max_db;
  config.num_samples = num_samples;
  return config;
}

}  // namespace

// The whole of a call, the making of its output included, belongs to one thread.
class Stream::Alone {
 public:
  explicit Alone(const Stream& stream) : busy_(stream.busy_) {
    if (busy_.test_and_set(std::memory_order_acquire)) {
      throw std::runtime_error(
          "a stream must be used by one thread at a time, received a call during another");
    }
  }
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() { busy_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& busy_;
};

Stream::Stream(const Plan& plan, std::int64_t num_channels, const std::string& max_rule,
               double max_db, std::int64_t num_samples)
    : num_channels_(num_channels),
      num_rows_(plan.num_bins()),
      dtype_(plan.dtype()),
      layout_(plan.layout()),
      stream_(plan.plan(), stream_config(num_channels, max_rule, max_db, num_samples)) {}

specfast_block Stream::describe_input(const py::array& x) const {
  specfast_block block{};
  block.struct_size = sizeof(block);
  block.in_dtype = input_dtype(x);
  const bool one = num_channels_ == 1;
  const bool channels_last =
      layout_ == Layout::kFlatChannelsLast || layout_ == Layout::kImageChannelsLast;
  const py::ssize_t channels = channels_last ? 1 : 0, samples = one || channels_last ? 0 : 1;
  if (x.ndim() != (one ? 1 : 2) || (!one && x.shape(channels) != num_channels_)) {
    const std::string count = std::to_string(num_channels_);
    throw py::value_error("x must have shape " +
                          (one             ? "(samples,)"
                           : channels_last ? "(samples, " + count + ")"
                                           : "(" + count + ", samples)") +
                          ", received x.shape=" + describe(Shape(x.shape(), x.shape() + x.ndim())));
  }
  block.input = x.data();
  block.num_samples = x.shape(samples);
  block.in_sample_stride = element_stride(x, samples);
  block.in_channel_stride = one ? 0 : element_stride(x, channels);
  return block;
}

bool Stream::is_long(const specfast_block& block) const {
  constexpr std::int64_t kManySamples = 1 << 14, kManyFrames = 8;
  return block.num_samples > kManySamples / num_channels_ ||
         block.max_frames > kManyFrames / num_channels_ ||
         (block.max_frames > 0 && latency_samples() > kManySamples / 2);
}

py::array Stream::make_output(std::int64_t num_frames, specfast_block& block) const {
  const std::int64_t rows = num_rows_, flat = checked_product(num_channels_, rows);
  const std::int64_t one_channel = checked_product(rows, num_frames);
  Shape shape;
  switch (layout_) {
    case Layout::kFlatChannelsLast:
      block.out_channel_stride = rows;
      block.out_frame_stride = flat;
      block.out_row_stride = 1;
      shape = {num_frames, flat};
      break;
    case Layout::kFlatChannelsFirst:
      block.out_channel_stride = one_channel;
      block.out_frame_stride = 1;
      block.out_row_stride = num_frames;
      shape = {flat, num_frames};
      break;
    case Layout::kImageChannelsLast:
      block.out_channel_stride = 1;
      block.out_frame_stride = flat;
      block.out_row_stride = num_channels_;
      shape = {num_frames, rows, num_channels_};
      break;
    case Layout::kImageChannelsFirst:
      block.out_channel_stride = one_channel;
      block.out_frame_stride = rows;
      block.out_row_stride = 1;
      shape = {num_channels_, num_frames, rows};
      break;
    case Layout::kMel:
      block.out_channel_stride = one_channel;
      block.out_frame_stride = 1;
      block.out_row_stride = num_frames;
      shape = {num_channels_, rows, num_frames};
      if (num_channels_ == 1) shape.erase(shape.begin());
      break;
  }
  block.max_frames = num_frames;
  check_output_size(shape, dtype_ == SPECFAST_FLOAT64 ? sizeof(double) : sizeof(float));
  return py::array(numpy_dtype(dtype_), shape);
}

py::array Stream::push(const py::array& x, double scale) {
  const Alone alone(*this);
  specfast_block block = describe_input(x);
  block.in_scale = scale;
  py::array result = make_output(stream_.num_frames(block.num_samples), block);
  block.output = result.mutable_data();
  std::optional<py::gil_scoped_release> release;
  if (is_long(block)) release.emplace();
  stream_.push(block);
  return result;
}

py::array Stream::flush() {
  const Alone alone(*this);
  specfast_block block{};
  block.struct_size = sizeof(block);
  py::array result = make_output(stream_.flush_frames(), block);
  block.output = result.mutable_data();
  std::optional<py::gil_scoped_release> release;
  if (is_long(block)) release.emplace();
  stream_.flush(block);
  return result;
}

void Stream::reset() {
  const Alone alone(*this);
  stream_.reset();
}

py::bytes Stream::save() const {
  const Alone alone(*this);
  const std::vector<unsigned char> bytes = stream_.save();
  return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Stream::load(const py::bytes& state) {
  const Alone alone(*this);
  const std::string_view bytes = state;
  stream_.load(bytes.data(), bytes.size());
}

}  // namespace specfast_python
