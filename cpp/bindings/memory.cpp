#include "bindings/memory.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "bindings/convert.hpp"
#include "bindings/dlpack.hpp"
#include "bindings/dtype.hpp"
#include "tensor/overlap.hpp"

namespace fanin::bindings {
namespace {

void require_shape(const std::vector<int64_t>& got, const std::vector<int64_t>& wanted) {
  if (got != wanted) raise(PyExc_ValueError, "out must have shape " + text(wanted) + ", got " + text(got));
}

py::tuple as_tuple(const std::vector<int64_t>& numbers) { return py::tuple(py::cast(numbers)); }

std::vector<int64_t> as_strides(py::handle strides, const std::vector<int64_t>& shape) {
  auto result = as<std::vector<int64_t>>(strides, "strides");
  if (result.size() != shape.size())
    raise(PyExc_ValueError, "strides must have one entry for each of the " + std::to_string(shape.size()) +
                                " axes, got " + std::to_string(result.size()));
  return result;
}

// Turns an address, which is a number in Python, into a pointer.
void* as_pointer(uintptr_t address) {
  return reinterpret_cast<void*>(address);  // NOLINT(performance-no-int-to-ptr)
}

Output of_memory(const Memory& memory, Dtype dtype, const std::vector<int64_t>& shape) {
  if (memory.dtype != dtype)
    raise(PyExc_ValueError, std::string("out must have dtype ") + name(dtype) + ", got " + name(memory.dtype));
  require_shape(memory.shape, shape);
  Output output{as_pointer(memory.address), memory.strides};
  if (memory.device) output.queue = Queue{*memory.device, as_pointer(memory.stream), false, memory.wait};
  return output;
}

Output of_array(const py::array& array, Dtype dtype, const std::vector<int64_t>& shape) {
  const py::dtype& wanted = numpy_dtype(dtype);
  if (!wanted.is(array.dtype()) && !wanted.equal(array.dtype()))
    raise(PyExc_ValueError, "out must have dtype " + std::string(py::str(wanted)) + " in native byte order, got " +
                                std::string(py::str(array.dtype())));
  if (!array.writeable()) raise(PyExc_ValueError, "out must be writable, got a read-only array");
  require_shape({array.shape(), array.shape() + array.ndim()}, shape);
  return {const_cast<void*>(array.data()), {array.strides(), array.strides() + array.ndim()}};
}

Memory from_dlpack(const py::object& capsule, bool on_gpu) {
  const dlpack::View view = dlpack::view(capsule, on_gpu);
  Memory memory{reinterpret_cast<uintptr_t>(view.data), view.dtype, view.shape, view.strides};
  if (on_gpu) memory.device = view.device.type == dlpack::kManaged ? -1 : view.device.id;
  memory.owner = capsule;
  return memory;
}

}  // namespace

bool Memory::operator==(const Memory& other) const {
  return address == other.address && dtype == other.dtype && shape == other.shape && strides == other.strides &&
         device == other.device && stream == other.stream && wait == other.wait;
}

std::string Memory::repr() const {
  return "Memory(" + std::to_string(address) + ", " + name(dtype) + ", shape=" + text(shape) +
         ", strides=" + text(strides) + (device ? ", device=" + std::to_string(*device) : "") + ")";
}

void register_memory(py::module_& m) {
  py::class_<Memory>(m, "Memory")
      .def(py::init([](uintptr_t address, py::handle dtype, py::handle shape, py::handle strides,
                       std::optional<int> device, uintptr_t stream, bool wait, py::object owner) {
             const auto sizes = as_shape(shape), steps = as_strides(strides, sizes);
             return Memory{address, as_dtype(dtype), sizes, steps, device, stream, wait, std::move(owner)};
           }),
           py::arg("address"), py::arg("dtype"), py::arg("shape"), py::arg("strides"), py::arg("device") = py::none(),
           py::arg("stream") = 0, py::arg("wait") = false, py::arg("owner") = py::none())
      .def_static("from_dlpack", &from_dlpack, py::arg("capsule"), py::arg("on_gpu"))
      .def(
          "__eq__", [](const Memory& self, const Memory& other) { return self == other; }, py::is_operator())
      .def("__repr__", &Memory::repr)
      .def_readonly("address", &Memory::address)
      .def_property_readonly("dtype", [](const Memory& self) { return python_dtype(self.dtype); })
      .def_property_readonly("shape", [](const Memory& self) { return as_tuple(self.shape); })
      .def_property_readonly("strides", [](const Memory& self) { return as_tuple(self.strides); })
      .def_readonly("device", &Memory::device)
      .def_readonly("stream", &Memory::stream)
      .def_readonly("wait", &Memory::wait)
      .def_readonly("owner", &Memory::owner);
  py::class_<Gpu>(m, "Gpu").def(py::init<int>(), py::arg("number")).def_readonly("number", &Gpu::number);
  m.def("overlaps", [](py::handle shape, py::handle strides, int64_t itemsize) {
    const auto sizes = as_shape(shape);
    return overlaps(sizes, as_strides(strides, sizes), itemsize);
  });
}

Target as_target(py::handle out, Dtype dtype, const std::vector<int64_t>& shape) {
  std::optional<Queue> queue;
  if (!out.is_none()) {
    if (py::isinstance<py::array>(out)) return {of_array(py::reinterpret_borrow<py::array>(out), dtype, shape)};
    if (py::isinstance<Memory>(out)) return {of_memory(py::cast<const Memory&>(out), dtype, shape)};
    if (!py::isinstance<Gpu>(out))
      raise(PyExc_TypeError, "out must be None, a NumPy array, a Memory or a Gpu, got " + std::string(py::repr(out)));
    queue = Queue{py::cast<const Gpu&>(out).number, nullptr, true};
  }
  Target target;
  target.fresh = empty_array(dtype, shape);
  target.output.data = py::detail::array_proxy(target.fresh.ptr())->data;
  target.output.queue = queue;
  return target;
}

}  // namespace fanin::bindings
