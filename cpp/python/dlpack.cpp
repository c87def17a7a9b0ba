// SPDX-License-Identifier: BSD-3-Clause
// Arrays of others in a capsule, and ours for others: the structures of DLPack 1, and those before
// it, which have no version.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <string>

#include "python/construct.h"
#include "python/device.h"

namespace specfast_python {
namespace {

struct DlTensor {
  void* data;
  std::int32_t device_kind, device;
  std::int32_t num_axes;
  std::uint8_t type_code, type_bits;
  std::uint16_t type_lanes;
  std::int64_t* shape;
  std::int64_t* strides;  // in elements; null: contiguous
  std::uint64_t byte_offset;
};

struct Unversioned {
  static constexpr const char* kName = "dltensor";
  static constexpr const char* kUsedName = "used_dltensor";

  DlTensor tensor;
  void* owner;
  void (*release)(Unversioned*);
};

struct Versioned {
  static constexpr const char* kName = "dltensor_versioned";
  static constexpr const char* kUsedName = "used_dltensor_versioned";
  static constexpr std::uint32_t kMajor = 1;
  static constexpr std::uint64_t kReadOnly = 1;

  std::uint32_t major, minor;
  void* owner;
  void (*release)(Versioned*);
  std::uint64_t flags;
  DlTensor tensor;
};

enum TypeCode : std::uint8_t {
  kInteger = 0,
  kUnsigned = 1,
  kFloat = 2,
  kBfloat = 4,
  kComplex = 5,
  kBool = 6
};

std::string dtype_name(const DlTensor& tensor) {
  const std::string bits = std::to_string(tensor.type_bits);
  if (tensor.type_lanes == 1) {
    switch (tensor.type_code) {
      case kInteger:
        return "int" + bits;
      case kUnsigned:
        return "uint" + bits;
      case kFloat:
        return "float" + bits;
      case kBfloat:
        return "bfloat" + bits;
      case kComplex:
        return "complex" + bits;
      case kBool:
        return "bool";
    }
  }
  return "DLPack type " + std::to_string(tensor.type_code) + " of " + bits + " bits";
}

// ---- Arrays of others ---------------------------------------------------------------------------

// The array of a capsule, given back to its producer with this object.
class DlpackArray {
 public:
  explicit DlpackArray(const py::capsule& capsule) {
    if (!take<Versioned>(capsule) && !take<Unversioned>(capsule)) {
      throw py::value_error(
          "capsule must hold a DLPack tensor that nobody has taken, received one named " +
          std::string(py::repr(py::str(capsule.name() ? capsule.name() : ""))));
    }
  }

  std::uintptr_t address() const {
    return reinterpret_cast<std::uintptr_t>(tensor_->data) + tensor_->byte_offset;
  }
  py::tuple device() const { return py::make_tuple(tensor_->device_kind, tensor_->device); }
  std::string dtype() const { return dtype_name(*tensor_); }
  bool is_read_only() const { return is_read_only_; }
  py::tuple shape() const {
    py::tuple result(tensor_->num_axes);
    for (std::int32_t i = 0; i < tensor_->num_axes; ++i) result[i] = tensor_->shape[i];
    return result;
  }
  // In bytes.
  py::tuple strides() const {
    const std::int64_t bytes = (std::int64_t(tensor_->type_bits) * tensor_->type_lanes + 7) / 8;
    py::tuple result(tensor_->num_axes);
    std::int64_t contiguous = bytes;
    for (std::int32_t i = tensor_->num_axes; i-- > 0;) {
      result[i] = tensor_->strides ? tensor_->strides[i] * bytes : contiguous;
      contiguous *= tensor_->shape[i];
    }
    return result;
  }

 private:
  template <typename Managed>
  bool take(const py::capsule& capsule) {
    if (!PyCapsule_IsValid(capsule.ptr(), Managed::kName)) return false;
    auto* const managed =
        static_cast<Managed*>(PyCapsule_GetPointer(capsule.ptr(), Managed::kName));
    if constexpr (std::is_same_v<Managed, Versioned>) {
      if (managed->major != Versioned::kMajor) {
        throw py::value_error("capsule must be of DLPack version 1, received version " +
                              std::to_string(managed->major));
      }
      is_read_only_ = (managed->flags & Versioned::kReadOnly) != 0;
    }
    if (PyCapsule_SetName(capsule.ptr(), Managed::kUsedName) != 0) throw py::error_already_set();
    tensor_ = &managed->tensor;
    owner_ = std::shared_ptr<void>(managed, [](void* held) {
      auto* const taken = static_cast<Managed*>(held);
      if (taken->release) taken->release(taken);
    });
    return true;
  }

  const DlTensor* tensor_ = nullptr;
  std::shared_ptr<void> owner_;
  bool is_read_only_ = false;
};

// ---- Our arrays ---------------------------------------------------------------------------------

// What a capsule of ours points to.
template <typename Managed>
struct Exported {
  Managed managed{};
  Shape shape, strides;  // in elements
  py::object owner;

  static void release(Managed* managed) {
    // Whoever took the capsule may be at the end of the process, or in a thread of its own.
    if (!Py_IsInitialized()) return;
    const py::gil_scoped_acquire gil;
    delete static_cast<Exported*>(managed->owner);
  }

  // Of a capsule that nobody took.
  static void release_capsule(PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, Managed::kName)) return;
    auto* const managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, Managed::kName));
    managed->release(managed);
  }
};

void set_type(DlTensor& tensor, std::int32_t dtype) {
  tensor.type_code = dtype == SPECFAST_INT16      ? kInteger
                     : dtype == SPECFAST_BFLOAT16 ? kBfloat
                                                  : kFloat;
  tensor.type_bits = std::uint8_t(8 * device_element_bytes(dtype));
  tensor.type_lanes = 1;
}

template <typename Managed>
py::object exported(std::uintptr_t address, Shape shape, std::int32_t dtype, std::int32_t kind,
                    std::int32_t device, const py::object& owner) {
  auto array = std::make_unique<Exported<Managed>>();
  array->shape = std::move(shape);
  array->strides.assign(array->shape.size(), 1);
  for (std::size_t i = array->shape.size(); i-- > 1;)
    array->strides[i - 1] = array->strides[i] * array->shape[i];
  array->owner = owner;
  Managed& managed = array->managed;
  if constexpr (std::is_same_v<Managed, Versioned>) managed.major = Versioned::kMajor;
  managed.owner = array.get();
  managed.release = &Exported<Managed>::release;
  managed.tensor.data = reinterpret_cast<void*>(address);
  managed.tensor.device_kind = kind;
  managed.tensor.device = device;
  managed.tensor.num_axes = std::int32_t(array->shape.size());
  managed.tensor.shape = array->shape.data();
  managed.tensor.strides = array->strides.data();
  set_type(managed.tensor, dtype);
  PyObject* const capsule =
      PyCapsule_New(&managed, Managed::kName, &Exported<Managed>::release_capsule);
  if (!capsule) throw py::error_already_set();
  array.release();
  return py::reinterpret_steal<py::object>(capsule);
}

py::object to_dlpack(std::uintptr_t address, Shape shape, const std::string& dtype,
                     std::int32_t kind, std::int32_t device, const py::object& owner,
                     bool versioned) {
  const auto make = versioned ? &exported<Versioned> : &exported<Unversioned>;
  return make(address, std::move(shape), device_dtype(dtype), kind, device, owner);
}

}  // namespace

void register_dlpack(py::module_& module) {
  py::class_<DlpackArray>(module, "DlpackArray", "The array of a DLPack capsule, which it takes.")
      .def("__init__", &construct<DlpackArray, const py::capsule&>, is_constructor(),
           py::arg("capsule"))
      .def_property_readonly("address", &DlpackArray::address)
      .def_property_readonly("shape", &DlpackArray::shape)
      .def_property_readonly("strides", &DlpackArray::strides)
      .def_property_readonly("dtype", &DlpackArray::dtype)
      .def_property_readonly("device", &DlpackArray::device)
      .def_property_readonly("is_read_only", &DlpackArray::is_read_only);
  module.def("to_dlpack", &to_dlpack, py::arg("address"), py::arg("shape"), py::arg("dtype"),
             py::arg("kind"), py::arg("device"), py::arg("owner"), py::arg("versioned"));
}

}  // namespace specfast_python
