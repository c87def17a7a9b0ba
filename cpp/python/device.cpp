// SPDX-License-Identifier: BSD-3-Clause
#include "python/device.h"

#include <pybind11/stl.h>

#include <algorithm>

#include "python/construct.h"
#include "python/gil.h"

namespace specfast_python {
namespace {

// At the number of each specfast_dtype.
constexpr const char* kDeviceDtypes[] = {"float32", "float64", "int16", "float16", "bfloat16"};
constexpr std::int64_t kElementBytes[] = {4, 8, 2, 2, 2};

void* pointer_of(std::uintptr_t address) { return reinterpret_cast<void*>(address); }

// The axes of a layout are read off an array of NumPy: this one has those of x, and its memory is
// never followed.
py::array axes_of(const DeviceArray& x) {
  if (x.shape.size() != x.strides.size()) {
    throw py::value_error("strides must be one for each axis, received shape " + describe(x.shape) +
                          " and strides " + describe(x.strides));
  }
  constexpr const char* kOfSameSize[] = {"f4", "f8", "i2", "i2", "i2"};
  const py::dtype dtype{std::string(kOfSameSize[x.dtype])};
  const bool is_empty = std::find(x.shape.begin(), x.shape.end(), 0) != x.shape.end();
  if (is_empty) return py::array(dtype, x.shape);
  if (x.address == 0) throw py::value_error("x must not lie at address 0");
  return py::array(dtype, x.shape, x.strides, pointer_of(x.address), py::none());
}

template <typename Object>
void destroy(std::unique_ptr<Object>& object) {
  const GilRelease release(false);  // the device may wait for its work
  object.reset();
}

}  // namespace

std::int32_t device_dtype(const std::string& name) {
  const auto* const found = std::find(std::begin(kDeviceDtypes), std::end(kDeviceDtypes), name);
  if (found != std::end(kDeviceDtypes)) return std::int32_t(found - std::begin(kDeviceDtypes));
  throw py::value_error(
      "dtype must be float32, float64, int16, float16 or bfloat16, received dtype='" + name + "'");
}

std::int64_t device_element_bytes(std::int32_t dtype) { return kElementBytes[dtype]; }

// ---- Plans --------------------------------------------------------------------------------------

DevicePlan::DevicePlan(const Config& config, const Plan& plan, std::int32_t device,
                       std::int64_t workspace_bytes)
    : owner_(owner_of(plan)), plan_(plan) {
  const specfast_config settings = config.with_window();
  const GilRelease release(false);
  device_plan_ = std::make_unique<specfast::DevicePlan>(settings, device, workspace_bytes);
}

DevicePlan::~DevicePlan() { destroy(device_plan_); }

void DevicePlan::execute(const DeviceArray& x, std::uintptr_t out, std::int32_t out_dtype,
                         std::uintptr_t stream, double scale) const {
  const py::array axes_of_x = axes_of(x);
  specfast::Signals signals = signals_of(plan_.layout(), axes_of_x, x.dtype);
  signals.scale = scale;
  OutputAxes axes = output_axes(plan_.layout(), axes_of_x, signals,
                                plan_.num_frames(signals.num_samples), plan_.num_bins());
  const std::int64_t bytes = device_element_bytes(out_dtype);
  check_output_size(axes.shape, bytes);
  if (std::find(axes.shape.begin(), axes.shape.end(), 0) != axes.shape.end()) return;

  const Source source(plan_.layout(), axes_of_x, signals,
                      plan_.may_split() ? MoreAxes::kSplit : MoreAxes::kRefuse);
  std::int64_t call_bytes = bytes * source.signals_per_call();
  call_bytes *= plan_.num_bins() * axes.num_frames;
  axes.strides = source.strides(axes.strides);
  const GilRelease release(false);
  for (std::int64_t i = 0; i < source.num_calls(); ++i) {
    specfast_batch batch = specfast::Plan::batch_of(source.signals(i));
    batch.output = pointer_of(out + std::uintptr_t(i * call_bytes));
    batch.out_batch_stride = axes.strides.batch;
    batch.out_channel_stride = axes.strides.channel;
    batch.out_frame_stride = axes.strides.frame;
    batch.out_row_stride = axes.strides.row;
    device_plan_->execute(batch, out_dtype, pointer_of(stream));
  }
}

// ---- Memory -------------------------------------------------------------------------------------

namespace {

void require_room(const char* name, const py::array& array, std::int64_t num_bytes) {
  if ((array.flags() & py::array::c_style) && array.nbytes() <= num_bytes) return;
  throw py::value_error(std::string(name) + " must be a C-contiguous array of at most " +
                        std::to_string(num_bytes) + " bytes, received " +
                        std::to_string(array.nbytes()));
}

}  // namespace

DeviceMemory::DeviceMemory(std::int32_t device, std::int64_t num_bytes) : num_bytes_(num_bytes) {
  const GilRelease release(false);
  memory_ = std::make_unique<specfast::DeviceMemory>(device, num_bytes);
}

DeviceMemory::~DeviceMemory() { destroy(memory_); }

std::uintptr_t DeviceMemory::address() const {
  return reinterpret_cast<std::uintptr_t>(memory_->get());
}

void DeviceMemory::fill(const py::array& from, std::uintptr_t stream) {
  require_room("from", from, num_bytes_);
  const void* const values = from.data();
  const std::int64_t bytes = from.nbytes();
  const GilRelease release(false);
  memory_->fill(values, bytes, pointer_of(stream));
}

void DeviceMemory::read(py::array& to, std::uintptr_t stream) const {
  require_room("to", to, num_bytes_);
  void* const values = to.mutable_data();
  const std::int64_t bytes = to.nbytes();
  const GilRelease release(false);
  memory_->read(values, bytes, pointer_of(stream));
}

// ---- Registration -------------------------------------------------------------------------------

namespace {

void wait_for_stream(std::int32_t device, std::uintptr_t stream) {
  const GilRelease release(false);
  specfast::wait_for_stream(device, pointer_of(stream));
}

py::dict device_info(std::int32_t device) {
  specfast_device_info info;
  {
    const GilRelease release(false);
    info = specfast::device_info(device);
  }
  py::dict result;
  result["num_devices"] = info.num_devices;
  result["name"] = info.name;
  result["compute_capability"] = std::to_string(info.compute_capability / 10) + "." +
                                 std::to_string(info.compute_capability % 10);
  result["memory_bytes"] = info.memory_bytes;
  const auto version = [](std::int32_t number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
  };
  result["driver"] = version(info.driver);
  result["runtime"] = version(info.runtime);
  result["cufft"] = info.cufft ? py::object(py::str(version(info.cufft))) : py::none();
  return result;
}

}  // namespace

void register_device(py::module_& module) {
  py::class_<DevicePlan>(module, "DevicePlan",
                         "A plan for a device; immutable, shared by threads and streams.")
      .def("__init__",
           &construct<DevicePlan, const Config&, const Plan&, std::int32_t, std::int64_t>,
           is_constructor(), py::arg("config"), py::arg("plan"), py::arg("device"),
           py::arg("workspace_bytes") = 0)
      .def(
          "execute",
          [](const DevicePlan& self, std::uintptr_t x, Shape shape, Shape strides,
             const std::string& dtype, std::uintptr_t out, const std::string& out_dtype,
             std::uintptr_t stream, double scale) {
            self.execute({x, std::move(shape), std::move(strides), device_dtype(dtype)}, out,
                         device_dtype(out_dtype), stream, scale);
          },
          py::arg("x"), py::arg("shape"), py::arg("strides"), py::arg("dtype"), py::arg("out"),
          py::arg("out_dtype"), py::arg("stream"), py::arg("scale") = 0.0);
  py::class_<DeviceMemory>(module, "DeviceMemory", "Memory of a device, freed with the object.")
      .def("__init__", &construct<DeviceMemory, std::int32_t, std::int64_t>, is_constructor(),
           py::arg("device"), py::arg("num_bytes"))
      .def_property_readonly("address", &DeviceMemory::address)
      .def_readwrite("keeps", &DeviceMemory::keeps)
      .def("fill", &DeviceMemory::fill, py::arg("values").noconvert(), py::arg("stream"))
      .def("read", &DeviceMemory::read, py::arg("values").noconvert(), py::arg("stream"));
  module.def(
      "load_backend",
      [](const std::optional<std::string>& path) {
        const GilRelease release(false);
        specfast::load_backend(path ? path->c_str() : nullptr);
      },
      py::arg("path"));
  module.def("device_info", &device_info, py::arg("device"));
  module.def("wait_for_stream", &wait_for_stream, py::arg("device"), py::arg("stream"));
}

}  // namespace specfast_python
