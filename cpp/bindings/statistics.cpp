// Binds the statistics of an array.
#include <pybind11/numpy.h>

#include <string>

#include "bindings/convert.hpp"
#include "bindings/interrupt.hpp"
#include "bindings/register.hpp"

namespace fanin::bindings {
namespace {

Input as_input(const py::array& array) {
  const std::string given = py::str(array.dtype());  // it names the byte order if that is not native
  for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16}) {
    if (given != name(dtype)) continue;
    return {array.data(),
            dtype,
            {array.shape(), array.shape() + array.ndim()},
            {array.strides(), array.strides() + array.ndim()}};
  }
  raise(PyExc_TypeError, "array must be float32, float64, float16 or bfloat16 in native byte order, got " + given);
}

py::dict statistics_of(const py::array& array) {
  const Input input = as_input(array);
  const Interrupt interrupt = interrupt_of_this_thread();
  Statistics s;
  try {
    const py::gil_scoped_release nogil;
    s = statistics(input, interrupt);
  } catch (const Interrupted&) {
    throw py::error_already_set();
  }
  py::dict result;
  result["count"] = s.count;
  result["finite"] = s.finite;
  result["nan"] = s.nans;
  result["infinite"] = s.infinities;
  result["zeros"] = s.zeros;
  result["mean"] = s.mean;
  result["std"] = s.deviation;
  result["minimum"] = s.minimum;
  result["maximum"] = s.maximum;
  result["hash"] = s.hash;
  return result;
}

}  // namespace

void register_statistics(py::module_& m) { m.def("statistics", &statistics_of); }

}  // namespace fanin::bindings
