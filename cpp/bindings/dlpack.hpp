// Finds the memory behind a DLPack capsule. The structs are laid out as DLPack's ABI, versions 0 and 1, defines them:
// dmlc.github.io/dlpack.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.hpp"

namespace fanin::dlpack {

struct Device {
  int32_t type, id;
};
struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct Tensor {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t *shape, *strides;  // strides count elements; null stands for C order
  uint64_t byte_offset;
};
struct ManagedTensor {
  Tensor tensor;
  void* manager;
  void (*deleter)(ManagedTensor*);
};
struct VersionedTensor {
  uint32_t major, minor;
  void* manager;
  void (*deleter)(VersionedTensor*);
  uint64_t flags;
  Tensor tensor;
};
constexpr uint64_t kReadOnly = 1, kCopied = 2;
constexpr int32_t kCpu = 1, kGpu = 2, kPinned = 3, kManaged = 13;

struct View {
  void* data;
  Device device;
  Dtype dtype;
  std::vector<int64_t> shape, strides;  // strides count bytes
};

inline Dtype dtype_of(DataType type) {
  constexpr uint8_t kUnsigned = 1, kFloat = 2, kBfloat = 4;
  if (type.lanes != 1) throw pybind11::value_error("out must have one number an element, got DLPack lanes");
  if (type.code == kFloat && type.bits == 32) return Dtype::float32;
  if (type.code == kFloat && type.bits == 64) return Dtype::float64;
  if (type.code == kFloat && type.bits == 16) return Dtype::float16;
  if (type.code == kBfloat && type.bits == 16) return Dtype::bfloat16;
  if (type.code == kUnsigned && type.bits == 32) return Dtype::uint32;
  if (type.code == kUnsigned && type.bits == 64) return Dtype::uint64;
  throw pybind11::value_error("out must have a dtype that fanin knows, got another DLPack type");
}

// Converts a stride from elements to bytes.
inline int64_t bytes(int64_t elements, int64_t itemsize) {
  int64_t result;
  if (__builtin_mul_overflow(elements, itemsize, &result))
    throw pybind11::value_error("out must have strides below 2^63 bytes, got " + std::to_string(elements) +
                                " elements");
  return result;
}

inline const Tensor& tensor_of(const pybind11::object& capsule) {
  namespace py = pybind11;
  PyObject* const p = capsule.ptr();
  if (PyCapsule_IsValid(p, "dltensor_versioned")) {
    const auto* managed = static_cast<VersionedTensor*>(PyCapsule_GetPointer(p, "dltensor_versioned"));
    if (managed->major != 1)
      throw py::value_error("out must export DLPack version 1, got version " + std::to_string(managed->major));
    if (managed->flags & kReadOnly) throw py::value_error("out must be writable, got a read-only array");
    if (managed->flags & kCopied) throw py::value_error("out must export its own memory, got a copy");
    return managed->tensor;
  }
  if (PyCapsule_IsValid(p, "dltensor")) return static_cast<ManagedTensor*>(PyCapsule_GetPointer(p, "dltensor"))->tensor;
  throw py::type_error("out must export a DLPack capsule that is not used up, got " + std::string(py::repr(capsule)));
}

// Returns memory of the CPU or of a GPU. The capsule still owns it: the memory lives as long as the capsule.
inline View view(const pybind11::object& capsule, bool on_gpu) {
  namespace py = pybind11;
  const Tensor& tensor = tensor_of(capsule);
  const int32_t type = tensor.device.type;
  if (on_gpu ? type != kGpu && type != kManaged : type != kCpu && type != kPinned)
    throw py::value_error(std::string("out must be in ") + (on_gpu ? "a GPU's" : "CPU") +
                          " memory, got DLPack device type " + std::to_string(type));
  View v{static_cast<char*>(tensor.data) + tensor.byte_offset, tensor.device, dtype_of(tensor.dtype), {}, {}};
  if (tensor.ndim < 0 || (tensor.ndim > 0 && !tensor.shape))
    throw py::value_error("out must export a shape, got " + std::to_string(tensor.ndim) + " axes");
  v.shape.assign(tensor.shape, tensor.shape + tensor.ndim);
  v.strides.resize(v.shape.size());
  const auto size = int64_t(itemsize(v.dtype));
  int64_t stride = size;
  for (size_t i = v.shape.size(); i-- > 0;) {
    v.strides[i] = tensor.strides ? bytes(tensor.strides[i], size) : stride;
    if (!tensor.strides) stride = bytes(stride, v.shape[i]);
  }
  return v;
}

}  // namespace fanin::dlpack
