// SPDX-License-Identifier: BSD-3-Clause
// The class specfast._core.InverseStream: a signal of an inverse, frame by frame.
#include <atomic>
#include <string_view>
#include <vector>

#include "python/construct.h"
#include "python/exclusive_use.h"
#include "python/gil.h"
#include "python/inverse.h"

namespace specfast_python {
namespace {

class InverseStream {
 public:
  InverseStream(const Inverse& inverse, std::int64_t num_channels, std::int64_t num_samples)
      : owner_(owner_of(inverse)),
        inverse_(inverse),
        num_channels_(num_channels),
        stream_(inverse.inverse(), num_channels, num_samples) {}

  // Takes [1, channels, frames, bins] and returns [channels, samples].
  py::array push(const py::array& real, const py::array& imag) {
    const ExclusiveUse use(busy_);
    specfast_spectra spectra = inverse_.spectra_of(real, imag);
    py::array result = room_for(stream_.num_samples(spectra.num_frames), spectra);
    const double work = Inverse::work(real);
    // A call that is interrupted has not happened.
    const std::vector<unsigned char> before =
        work >= kInterruptibleWork ? stream_.save() : std::vector<unsigned char>();
    try {
      call_engine(work, [&] { stream_.push(spectra); });
    } catch (const py::error_already_set&) {
      stream_.load(before.data(), before.size());
      throw;
    }
    return result;
  }

  py::array flush() {
    const ExclusiveUse use(busy_);
    specfast_spectra spectra{};
    spectra.struct_size = sizeof(spectra);
    py::array result = room_for(stream_.flush_samples(), spectra);
    stream_.flush(spectra);
    return result;
  }

  void reset() {
    const ExclusiveUse use(busy_);
    stream_.reset();
  }

  py::bytes save() const {
    const ExclusiveUse use(busy_);
    const std::vector<unsigned char> bytes = stream_.save();
    return py::bytes(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  void load(const py::bytes& state) {
    const ExclusiveUse use(busy_);
    const std::string_view bytes = state;
    stream_.load(bytes.data(), bytes.size());
  }

  std::int64_t delay_samples() const { return stream_.delay_samples(); }

 private:
  py::array room_for(std::int64_t num_samples, specfast_spectra& spectra) const {
    const Shape shape = {num_channels_, num_samples};
    check_output_size(shape, element_bytes(inverse_.dtype()));
    py::array result(numpy_dtype(inverse_.dtype()), shape);
    spectra.signal = result.mutable_data();
    spectra.num_samples = num_samples;
    spectra.signal_channel_stride = num_samples;
    spectra.signal_sample_stride = 1;
    return result;
  }

  py::object owner_;  // of inverse_
  const Inverse& inverse_;
  std::int64_t num_channels_;
  specfast::InverseStream stream_;
  mutable std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
};

}  // namespace

void register_inverse_stream(py::module_& module) {
  py::class_<InverseStream>(module, "InverseStream",
                            "A signal of an inverse, frame by frame; used by one thread at a time.")
      .def("__init__", &construct<InverseStream, const Inverse&, std::int64_t, std::int64_t>,
           is_constructor(), py::arg("inverse"), py::arg("num_channels"), py::arg("num_samples"))
      .def_property_readonly("delay_samples", &InverseStream::delay_samples)
      .def("push", &InverseStream::push, py::arg("real").noconvert(), py::arg("imag").noconvert())
      .def("flush", &InverseStream::flush)
      .def("reset", &InverseStream::reset)
      .def("save", &InverseStream::save)
      .def("load", &InverseStream::load, py::arg("state"));
}

}  // namespace specfast_python
