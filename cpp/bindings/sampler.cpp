#include "bindings/sampler.hpp"

#include <new>

#include "bindings/dtype.hpp"
#include "bindings/interrupt.hpp"
#include "bindings/memory.hpp"

namespace fanin::bindings {

py::object draw(PyObject* const* arguments, Random random, const Sample& sample) {
  Part part{};
  if (random == Random::yes) part.seed = as_seed(*arguments++), part.name = as_utf8(*arguments++, "name");
  part.dtype = as_dtype(arguments[0]);
  part.shape = as_shape(arguments[1]);
  part.box = as_box(arguments[2]);
  Target target = as_target(arguments[3], part.dtype, result_shape(part));
  const Interrupt interrupt = interrupt_of_this_thread();
  try {
    const py::gil_scoped_release nogil;
    sample(part, target.output, interrupt);
  } catch (const std::bad_alloc&) {
    raise(PyExc_MemoryError,
          "no memory to draw an array with shape " + text(part.shape) + " and data type " + name(part.dtype));
  }
  return std::move(target.fresh);
}

void add_function(py::module_& m, const char* name, PyMethodDef& definition, std::string& signature) {
  // Python reads the signature of a function from such a docstring.
  signature = std::string(name) + "(" + signature + ", /)\n--\n\n";
  definition.ml_name = name;
  definition.ml_flags = METH_FASTCALL;
  definition.ml_doc = signature.c_str();
  auto function = py::reinterpret_steal<py::object>(PyCFunction_NewEx(&definition, nullptr, m.attr("__name__").ptr()));
  if (!function) throw py::error_already_set();
  m.add_object(name, function);
}

}  // namespace fanin::bindings
