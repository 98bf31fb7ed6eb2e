// fanin._core: converts arguments, releases the GIL, makes one call.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>

#include "api/fanin.hpp"
#include "bindings/dlpack.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/fp_environment.hpp"

namespace py = pybind11;

namespace fanin {
namespace {

[[noreturn]] void raise(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

// A TypeError that names the argument, for what is no integer.
py::object as_integer(py::handle value, const char* argument, const char* allowed) {
  auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!number) {
    PyErr_Clear();
    raise(PyExc_TypeError, std::string(argument) + " must be " + allowed + ", got " + std::string(py::repr(value)));
  }
  return number;
}

uint64_t as_seed(py::handle seed) {
  const auto number = as_integer(seed, "seed", "an integer");
  const uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
  if (value == UINT64_MAX && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_ValueError, "seed must be an integer in [0, 2^64), got " + std::string(py::str(number)));
  }
  return value;
}

double as_double(py::handle value, const char* argument) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_TypeError, std::string(argument) + " must be a number, got " + std::string(py::repr(value)));
  }
  return number;
}

std::string_view as_utf8(py::handle name) {
  if (!PyUnicode_Check(name.ptr())) raise(PyExc_TypeError, "name must be a str, got " + std::string(py::repr(name)));
  Py_ssize_t size;
  const char* text = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
  if (!text) {
    PyErr_Clear();
    raise(PyExc_ValueError, "name must be valid Unicode without lone surrogates, got " + std::string(py::repr(name)));
  }
  return {text, size_t(size)};
}

int64_t as_int64(py::handle value, const char* argument, const char* allowed) {
  const auto number = as_integer(value, argument, allowed);
  const int64_t result = PyLong_AsLongLong(number.ptr());
  if (result == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_ValueError,
          std::string(argument) + " must have fewer than 2^63 elements, got " + std::string(py::str(number)));
  }
  return result;
}

std::vector<int64_t> as_shape(py::handle shape) {
  constexpr const char* kAllowed = "an integer or a sequence of integers";
  if (!PySequence_Check(shape.ptr()) || PyUnicode_Check(shape.ptr()) || PyIndex_Check(shape.ptr()))
    return {as_int64(shape, "shape", kAllowed)};
  std::vector<int64_t> result;
  for (py::handle n : py::reinterpret_borrow<py::sequence>(shape))
    result.push_back(as_int64(n, "shape", kAllowed));
  return result;
}

std::vector<AxisSlice> as_box(py::handle box) {
  std::vector<AxisSlice> result;
  if (box.is_none()) return result;
  for (py::handle entry : py::reinterpret_borrow<py::tuple>(box)) {
    if (PyLong_Check(entry.ptr())) {
      result.push_back({as_int64(entry, "index", "integers"), 1, 1, false});
    } else {
      const auto triple = py::reinterpret_borrow<py::tuple>(entry);
      result.push_back({as_int64(triple[0], "index", "integers"), as_int64(triple[1], "index", "integers"),
                        as_int64(triple[2], "index", "integers"), true});
    }
  }
  return result;
}

Dtype as_dtype(int code) {
  if (code < 0 || code >= kDtypes) throw py::value_error("dtype code must be 0 to 5, got " + std::to_string(code));
  return Dtype(code);
}

py::dtype numpy_dtype(Dtype dtype) {
  constexpr int kNumpyHalf = 23;  // NPY_HALF
  switch (dtype) {
    case Dtype::float32: return py::dtype::of<float>();
    case Dtype::float64: return py::dtype::of<double>();
    case Dtype::float16: return py::dtype(kNumpyHalf);
    case Dtype::bfloat16: return py::dtype::from_args(py::module_::import("ml_dtypes").attr("bfloat16"));
    case Dtype::uint32: return py::dtype::of<uint32_t>();
    default: return py::dtype::of<uint64_t>();
  }
}

std::string text(const std::vector<int64_t>& shape) {
  std::string result = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    result += (i ? ", " : "") + std::to_string(shape[i]);
  return result + (shape.size() == 1 ? ",)" : ")");
}

void require_match(const std::vector<int64_t>& got, const std::vector<int64_t>& wanted) {
  if (got != wanted) throw py::value_error("out must have shape " + text(wanted) + ", got " + text(got));
}

void require_dtype(Dtype got, Dtype wanted) {
  if (got != wanted) throw py::value_error(std::string("out must have dtype ") + name(wanted) + ", got " + name(got));
}

// Memory as fanin._gpu describes it: (address, dtype code, shape, strides in bytes), of a GPU also device, stream, wait, ….
Output as_memory(const py::tuple& out, Dtype dtype, const std::vector<int64_t>& shape) {
  const auto pointer = [](py::handle address) { return reinterpret_cast<void*>(py::cast<uintptr_t>(address)); };
  require_dtype(as_dtype(py::cast<int>(out[1])), dtype);
  require_match(py::cast<std::vector<int64_t>>(out[2]), shape);
  Output memory{pointer(out[0]), py::cast<std::vector<int64_t>>(out[3])};
  if (out.size() > 4) memory.queue = cuda::Queue{py::cast<int>(out[4]), pointer(out[5]), false, py::cast<bool>(out[6])};
  return memory;
}

// The first five of those, of a capsule; the device of managed memory is -1, as it is not there that DLPack says it.
py::tuple dlpack_view(py::handle capsule) {
  const auto view = dlpack::view(py::reinterpret_borrow<py::capsule>(capsule), true);
  return py::make_tuple(reinterpret_cast<uintptr_t>(view.data), int(view.dtype), py::tuple(py::cast(view.shape)),
                        py::tuple(py::cast(view.strides)), view.device.type == dlpack::kManaged ? -1 : view.device.id);
}

Output as_output(py::handle out, Dtype dtype, const std::vector<int64_t>& shape) {
  if (py::isinstance<py::tuple>(out)) return as_memory(py::reinterpret_borrow<py::tuple>(out), dtype, shape);
  if (py::isinstance<py::capsule>(out)) {
    const auto view = dlpack::view(py::reinterpret_borrow<py::capsule>(out), false);
    require_dtype(view.dtype, dtype);
    require_match(view.shape, shape);
    return {view.data, view.strides};
  }
  if (!py::isinstance<py::array>(out)) throw py::type_error("out must be a NumPy array or a DLPack capsule");
  auto array = py::reinterpret_borrow<py::array>(out);
  const py::dtype wanted = numpy_dtype(dtype);
  if (!wanted.is(array.dtype()) && !wanted.equal(array.dtype()))
    throw py::value_error("out must have dtype " + std::string(py::str(wanted)) + " in native byte order, got " +
                          std::string(py::str(array.dtype())));
  if (!array.writeable()) throw py::value_error("out must be writable, got a read-only array");
  require_match({array.shape(), array.shape() + array.ndim()}, shape);
  return {array.mutable_data(), {array.strides(), array.strides() + array.ndim()}};
}

unsigned long g_main_thread = 0;

// Runs Python's signal handlers; true if one raised. Only the main thread runs them, so only it asks.
bool interrupted() {
  const py::gil_scoped_acquire gil;
  return PyErr_CheckSignals() != 0;
}

// Calls sample(part, output, interrupt) without the GIL, into `out` or into a new array, which it returns; where `out` is a
// number, it is that of the GPU that draws the new array.
template <class Sample>
py::object draw(py::handle seed, py::handle name, int dtype, py::handle shape, py::handle box, py::handle out,
                const Sample& sample) {
  const Part part{as_seed(seed), as_utf8(name), as_dtype(dtype), as_shape(shape), as_box(box)};
  const std::vector<int64_t> result = result_shape(part);
  py::object array;
  Output output;
  if (out.is_none() || PyLong_Check(out.ptr())) {
    auto fresh = py::array(numpy_dtype(part.dtype), result);
    output = {fresh.mutable_data()};
    if (!out.is_none()) output.queue = cuda::Queue{py::cast<int>(out), nullptr, true};
    array = std::move(fresh);
  } else {
    output = as_output(out, part.dtype, result);
    array = py::none();
  }
  const bool main = PyThread_get_thread_ident() == g_main_thread;
  try {
    const py::gil_scoped_release nogil;
    sample(part, output, main ? Interrupt(interrupted) : Interrupt());
  } catch (const Interrupted&) {
    throw py::error_already_set();
  } catch (const NotOnGpu& missing) {
    raise(PyExc_NotImplementedError, missing.what());
  } catch (const std::bad_alloc&) {
    raise(PyExc_MemoryError,
          "no memory to draw an array with shape " + text(part.shape) + " and data type " + fanin::name(part.dtype));
  }
  return array;
}

Layout layout(bool out_first) { return out_first ? Layout::out_first : Layout::out_last; }

using Vector = py::array_t<double, py::array::c_style>;

std::vector<double> as_vector(const Vector& array, const char* argument) {
  if (array.ndim() != 1)
    throw py::value_error(std::string(argument) + " must have 1 dimension, got " + std::to_string(array.ndim()));
  return {array.data(), array.data() + array.size()};
}

Input as_input(const py::array& array) {
  const std::string given = py::str(array.dtype());  // with the byte order, where that is not native
  for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16}) {
    if (given == name(dtype))
      return {array.data(),
              dtype,
              {array.shape(), array.shape() + array.ndim()},
              {array.strides(), array.strides() + array.ndim()}};
  }
  raise(PyExc_TypeError, "array must be float32, float64, float16 or bfloat16 in native byte order, got " + given);
}

py::dict statistics_of(const py::array& array) {
  const Input input = as_input(array);
  const bool main = PyThread_get_thread_ident() == g_main_thread;
  Statistics s;
  try {
    const py::gil_scoped_release nogil;
    s = statistics(input, main ? Interrupt(interrupted) : Interrupt());
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

// A context in which Python's own float arithmetic rounds to nearest.
class Ieee754 {
 public:
  void enter() { environment_.emplace(); }
  void exit(const py::args&) { environment_.reset(); }

 private:
  std::optional<FpEnvironment> environment_;
};

py::dict build_info() {
  py::dict info;
  info["compiled_isas"] = compiled_isas();
  info["available_isas"] = available_isas();
  info["active_isa"] = active_kernels().isa;
  info["openmp"] = std::string(threading_backend()) == "OpenMP";
  info["threading"] = threading_backend();
#if defined(__clang__)
  info["compiler"] = "Clang " __clang_version__;
#else
  info["compiler"] = "GCC " __VERSION__;
#endif
  return info;
}

}  // namespace
}  // namespace fanin

PYBIND11_MODULE(_core, m) {
  using namespace fanin;
  m.attr("__version__") = FANIN_VERSION;
  g_main_thread = py::module_::import("threading").attr("main_thread")().attr("ident").cast<unsigned long>();

  m.def("bits", [](py::handle seed, py::handle name, int dtype, py::handle shape, py::handle box, py::handle out) {
    return draw(seed, name, dtype, shape, box, out,
                [](const Part& p, const Output& o, const Interrupt& i) { bits(p, o, i); });
  });
  m.def("uniform", [](py::handle low, py::handle high, py::handle seed, py::handle name, int dtype, py::handle shape,
                      py::handle box, py::handle out) {
    const double l = as_double(low, "low"), h = as_double(high, "high");
    return draw(seed, name, dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { uniform(l, h, p, o, i); });
  });
  m.def("normal", [](py::handle mean, py::handle std, py::handle seed, py::handle name, int dtype, py::handle shape,
                     py::handle box, py::handle out) {
    const double m = as_double(mean, "mean"), s = as_double(std, "std");
    return draw(seed, name, dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { normal(m, s, p, o, i); });
  });
  m.def("truncated_normal",
        [](py::handle mean, py::handle std, py::handle low, py::handle high, bool in_std, py::handle seed,
           py::handle name, int dtype, py::handle shape, py::handle box, py::handle out) {
          const double m = as_double(mean, "mean"), s = as_double(std, "std");
          const double l = as_double(low, "low"), h = as_double(high, "high");
          return draw(seed, name, dtype, shape, box, out, [&](const Part& p, const Output& o, const Interrupt& i) {
            truncated_normal(m, s, l, h, in_std, p, o, i);
          });
        });
  m.def("constant", [](py::handle value, int dtype, py::handle shape, py::handle box, py::handle out) {
    const double v = as_double(value, "value");
    return draw(py::int_(0), py::str(), dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { constant(v, p, o, i); });
  });
  m.def("orthogonal", [](py::handle gain, bool out_first, py::handle blocks, py::handle seed, py::handle name,
                         int dtype, py::handle shape, py::handle box, py::handle out) {
    const double g = as_double(gain, "gain");
    const auto sizes = py::cast<std::vector<int64_t>>(blocks);
    return draw(seed, name, dtype, shape, box, out, [&](const Part& p, const Output& o, const Interrupt& i) {
      orthogonal(g, layout(out_first), sizes, p, o, i);
    });
  });
  m.def("haar", [](py::handle gain, py::handle seed, py::handle name, int dtype, py::handle shape, py::handle box,
                   py::handle out) {
    const double g = as_double(gain, "gain");
    return draw(seed, name, dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { haar(g, p, o, i); });
  });
  m.def("delta_orthogonal", [](py::handle gain, bool out_first, py::handle seed, py::handle name, int dtype,
                               py::handle shape, py::handle box, py::handle out) {
    const double g = as_double(gain, "gain");
    return draw(seed, name, dtype, shape, box, out, [&](const Part& p, const Output& o, const Interrupt& i) {
      delta_orthogonal(g, layout(out_first), p, o, i);
    });
  });
  m.def("sparse", [](py::handle std, int64_t nonzeros, bool per_output, bool out_first, py::handle seed,
                     py::handle name, int dtype, py::handle shape, py::handle box, py::handle out) {
    const double s = as_double(std, "std");
    return draw(seed, name, dtype, shape, box, out, [&](const Part& p, const Output& o, const Interrupt& i) {
      sparse(s, nonzeros, per_output, layout(out_first), p, o, i);
    });
  });
  m.def("dirac", [](py::handle gain, int64_t groups, bool out_first, int dtype, py::handle shape, py::handle box,
                    py::handle out) {
    const double g = as_double(gain, "gain");
    return draw(
        py::int_(0), py::str(), dtype, shape, box, out,
        [&](const Part& p, const Output& o, const Interrupt& i) { dirac(g, groups, layout(out_first), p, o, i); });
  });
  m.def("broadcast",
        [](const Vector& values, int64_t axis, int dtype, py::handle shape, py::handle box, py::handle out) {
          const auto v = as_vector(values, "values");
          return draw(py::int_(0), py::str(), dtype, shape, box, out,
                      [&](const Part& p, const Output& o, const Interrupt& i) { broadcast(v, axis, p, o, i); });
        });
  m.def("sinusoid", [](const Vector& turns_high, const Vector& turns_low, bool interleaved, int dtype, py::handle shape,
                       py::handle box, py::handle out) {
    const auto high = as_vector(turns_high, "turns_high"), low = as_vector(turns_low, "turns_low");
    return draw(py::int_(0), py::str(), dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { sinusoid(high, low, interleaved, p, o, i); });
  });
  m.def("step_bias", [](py::handle low, py::handle high, py::handle floor, py::handle seed, py::handle name, int dtype,
                        py::handle shape, py::handle box, py::handle out) {
    const double l = as_double(low, "low"), h = as_double(high, "high"), f = as_double(floor, "floor");
    return draw(seed, name, dtype, shape, box, out,
                [&](const Part& p, const Output& o, const Interrupt& i) { step_bias(l, h, f, p, o, i); });
  });
  m.def("statistics", &statistics_of);
  m.def("stream_id", [](py::handle name, uint8_t tag) { return stream_id(as_utf8(name), tag); });
  m.def("truncated_std", &truncated_std);
  m.def("set_num_threads", [](std::optional<int> n) {
    if (n && *n < 1) throw py::value_error("the number of threads must be at least 1, got " + std::to_string(*n));
    set_thread_count(n.value_or(0));
  });
  m.def("get_num_threads", &thread_count);
  m.def("swap_thread_limit", &swap_thread_limit);
  m.def("build_info", &build_info);
  m.def("dlpack_view", &dlpack_view);
  m.def("set_cuda_backend", [](py::handle capsule) {
    const void* const backend = PyCapsule_GetPointer(capsule.ptr(), cuda::kBackendName);
    if (!backend) throw py::error_already_set();
    cuda::set_backend(static_cast<const cuda::Backend*>(backend));
  });
  py::class_<Ieee754>(m, "Ieee754").def(py::init<>()).def("__enter__", &Ieee754::enter).def("__exit__", &Ieee754::exit);
}
