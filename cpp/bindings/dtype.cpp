#include "bindings/dtype.hpp"

#include <pybind11/native_enum.h>

#include <iterator>
#include <string>

#include "bindings/convert.hpp"

namespace fanin::bindings {
namespace {

// Python makes the members of Dtype once, so their addresses tell them apart. These references are never given back.
PyObject* g_members[kDtypes];
py::dtype* g_numpy[kDtypes];

py::dtype make_numpy_dtype(Dtype dtype) {
  if (dtype == Dtype::bfloat16) return py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16"));
  return py::dtype(std::string(name(dtype)));
}

}  // namespace

void register_dtype(py::module_& m) {
  py::native_enum<Dtype> type(m, "Dtype", "enum.Enum");
  for (int i = 0; i < kDtypes; ++i)
    type.value(name(Dtype(i)), Dtype(i));
  type.finalize();
  for (int i = 0; i < kDtypes; ++i)
    g_members[i] = m.attr("Dtype").attr(name(Dtype(i))).cast<py::object>().release().ptr();
}

Dtype as_dtype(py::handle dtype) {
  for (int i = 0; i < kDtypes; ++i)
    if (dtype.ptr() == g_members[i]) return Dtype(i);
  raise(PyExc_TypeError, "dtype must be a fanin._core.Dtype, got " + std::string(py::repr(dtype)));
}

py::object python_dtype(Dtype dtype) { return py::reinterpret_borrow<py::object>(g_members[int(dtype)]); }

const py::dtype& numpy_dtype(Dtype dtype) {
  py::dtype*& found = g_numpy[int(dtype)];
  if (!found) found = new py::dtype(make_numpy_dtype(dtype));
  return *found;
}

py::object empty_array(Dtype dtype, const std::vector<int64_t>& shape) {
  // NumPy computes the strides itself, and checks them for overflow.
  const auto& numpy = py::detail::npy_api::get();
  static_assert(sizeof(Py_intptr_t) == sizeof(int64_t), "shapes are passed as they are");
  auto array = py::reinterpret_steal<py::object>(
      numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, numpy_dtype(dtype).inc_ref().ptr(), int(shape.size()),
                                  reinterpret_cast<const Py_intptr_t*>(shape.data()), nullptr, nullptr, 0, nullptr));
  if (!array) throw py::error_already_set();
  return array;
}

}  // namespace fanin::bindings
