// SPDX-License-Identifier: BSD-3-Clause
#include "python/stream.h"

#include <string_view>
#include <vector>

#include "python/construct.h"
#include "python/exclusive_use.h"
#include "python/gil.h"

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

Stream::Stream(const Plan& plan, std::int64_t num_channels, const std::string& max_rule,
               double max_db, std::int64_t num_samples)
    : owner_(owner_of(plan)),
      plan_(plan),
      num_channels_(num_channels),
      num_rows_(plan.num_bins()),
      dtype_(plan.dtype()),
      layout_(plan.layout()),
      stream_(plan.plan(), stream_config(num_channels, max_rule, max_db, num_samples)) {}

specfast::Signals Stream::signals_in(const py::array& x) const {
  specfast::Signals signals;
  signals.dtype = specfast_dtype(input_dtype(x));
  const bool one = num_channels_ == 1;
  const bool channels_last = is_channels_last(layout_);
  const py::ssize_t channels = channels_last ? 1 : 0, samples = one || channels_last ? 0 : 1;
  if (x.ndim() != (one ? 1 : 2) || (!one && x.shape(channels) != num_channels_)) {
    const std::string count = std::to_string(num_channels_);
    throw py::value_error("x must have shape " +
                          (one             ? "(samples,)"
                           : channels_last ? "(samples, " + count + ")"
                                           : "(" + count + ", samples)") +
                          ", received x.shape=" + describe(shape_of(x)));
  }
  signals.samples = x.data();
  signals.num_channels = num_channels_;
  signals.num_samples = x.shape(samples);
  signals.sample_stride = element_stride(x, samples);
  signals.channel_stride = one ? 0 : element_stride(x, channels);
  return signals;
}

template <typename Write>
py::array Stream::output_of(std::int64_t num_samples, std::int64_t num_frames, const Write& write) {
  const OutputAxes axes = output_axes_of_signal(layout_, num_channels_, num_frames, num_rows_);
  check_output_size(axes.shape, element_bytes(dtype_));
  py::array result(numpy_dtype(dtype_), axes.shape);
  const specfast::Frames frames = axes.frames(result.mutable_data(), dtype_);
  const double work =
      double(num_channels_) * (double(num_samples) + plan_.work(double(num_frames)));
  // A call that is interrupted has not happened.
  const std::vector<unsigned char> before =
      work >= kInterruptibleWork ? stream_.save() : std::vector<unsigned char>();
  try {
    call_engine(work, [&] { write(frames); });
  } catch (const py::error_already_set&) {
    stream_.load(before.data(), before.size());
    throw;
  }
  return result;
}

py::array Stream::push(const py::array& x, double scale) {
  const ExclusiveUse use(busy_);
  specfast::Signals signals = signals_in(x);
  signals.scale = scale;
  return output_of(signals.num_samples, stream_.num_frames(signals.num_samples),
                   [&](const specfast::Frames& frames) { stream_.push(signals, frames); });
}

py::array Stream::flush() {
  const ExclusiveUse use(busy_);
  return output_of(0, stream_.flush_frames(),
                   [&](const specfast::Frames& frames) { stream_.flush(frames); });
}

void Stream::reset() {
  const ExclusiveUse use(busy_);
  stream_.reset();
}

py::bytes Stream::save() const {
  const ExclusiveUse use(busy_);
  const std::vector<unsigned char> bytes = stream_.save();
  return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Stream::load(const py::bytes& state) {
  const ExclusiveUse use(busy_);
  const std::string_view bytes = state;
  stream_.load(bytes.data(), bytes.size());
}

void register_stream(py::module_& module) {
  py::class_<Stream>(module, "Stream", "A signal piece by piece; used by one thread at a time.")
      .def("__init__",
           &construct<Stream, const Plan&, std::int64_t, const std::string&, double, std::int64_t>,
           is_constructor(), py::arg("plan"), py::arg("num_channels"), py::arg("max_rule"),
           py::arg("max_db"), py::arg("num_samples"))
      .def_property_readonly("latency_samples", &Stream::latency_samples)
      .def("push", &Stream::push, py::arg("x").noconvert(), py::arg("scale") = 0.0)
      .def("flush", &Stream::flush)
      .def("reset", &Stream::reset)
      .def("save", &Stream::save)
      .def("load", &Stream::load, py::arg("state"));
}

}  // namespace specfast_python
