#include "bindings/convert.hpp"

#include <pybind11/numpy.h>

#include <new>
#include <stdexcept>

namespace fanin::bindings {
namespace {

// Spells a value in a hundred bytes at most, or names its type if Python cannot spell it.
std::string spelled(py::handle value) {
  const auto ascii = py::reinterpret_steal<py::object>(PyObject_ASCII(value.ptr()));
  if (!ascii) {
    PyErr_Clear();
    return std::string("a value of type ") + Py_TYPE(value.ptr())->tp_name;
  }
  const std::string whole = py::str(ascii);
  return whole.size() <= 100 ? whole : whole.substr(0, 48) + "..." + whole.substr(whole.size() - 49);
}

// Raises TypeError for what is no integer, and ValueError for an integer beyond 64 bits.
int64_t as_int64(py::handle value, const char* argument, const char* allowed, const char* limit) {
  py::object number = py::reinterpret_borrow<py::object>(value);
  if (!PyLong_CheckExact(value.ptr())) {
    number = PyBool_Check(value.ptr()) ? py::object() : py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!number) {
      PyErr_Clear();
      raise(PyExc_TypeError, std::string(argument) + " must be " + allowed + ", got " + spelled(value));
    }
  }
  const int64_t result = PyLong_AsLongLong(number.ptr());
  if (result == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_ValueError, std::string(argument) + " must " + limit + ", got " + spelled(number));
  }
  return result;
}

// Returns a list or tuple of what a sequence holds, or null for what is no sequence, such as an integer or an array
// without axes.
py::object as_sequence(py::handle value) {
  PyObject* const p = value.ptr();
  if (PyTuple_Check(p) || PyList_Check(p)) return py::reinterpret_borrow<py::object>(value);
  if (!PySequence_Check(p) || PyUnicode_Check(p) || PyBytes_Check(p) || PySequence_Size(p) < 0) {
    PyErr_Clear();
    return {};
  }
  auto result = py::reinterpret_steal<py::object>(PySequence_Fast(p, ""));
  if (!result) throw py::error_already_set();
  return result;
}

std::vector<int64_t> as_integers(const py::object& sequence, const char* argument, const char* allowed,
                                 const char* limit) {
  std::vector<int64_t> result;
  const auto count = size_t(PySequence_Fast_GET_SIZE(sequence.ptr()));
  result.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const auto item = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(sequence.ptr(), Py_ssize_t(i)));
    result.push_back(as_int64(item, argument, allowed, limit));
  }
  return result;
}

constexpr const char* kBelow = "be within 64 bits";

}  // namespace

void raise(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

void set_python_error() noexcept {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const Interrupted&) {  // a signal handler has raised, and set the error
  } catch (const NotOnGpu& error) {
    PyErr_SetString(PyExc_NotImplementedError, error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::logic_error& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  } catch (...) {
    PyErr_SetString(PyExc_SystemError, "unknown C++ exception");
  }
}

std::string text(const std::vector<int64_t>& shape) {
  std::string result = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    result += (i ? ", " : "") + std::to_string(shape[i]);
  return result + (shape.size() == 1 ? ",)" : ")");
}

uint64_t as_seed(py::handle seed) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(seed.ptr()));
  if (!number) {
    PyErr_Clear();
    raise(PyExc_TypeError, "seed must be an integer, got " + spelled(seed));
  }
  const uint64_t value = PyLong_AsUnsignedLongLong(number.ptr());
  if (value == UINT64_MAX && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_ValueError, "seed must be in [0, 2^64), got " + spelled(number));
  }
  return value;
}

std::string_view as_utf8(py::handle value, const char* argument) {
  if (!PyUnicode_Check(value.ptr()))
    raise(PyExc_TypeError, std::string(argument) + " must be a str, got " + spelled(value));
  Py_ssize_t size;
  const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (!text) {
    PyErr_Clear();
    raise(PyExc_ValueError,
          std::string(argument) + " must be valid Unicode without lone surrogates, got " + spelled(value));
  }
  return {text, size_t(size)};
}

std::vector<int64_t> as_shape(py::handle shape) {
  constexpr const char* kAllowed = "an integer or a sequence of integers";
  constexpr const char* kLimit = "have fewer than 2^63 elements";
  if (const py::object sequence = as_sequence(shape)) return as_integers(sequence, "shape", kAllowed, kLimit);
  return {as_int64(shape, "shape", kAllowed, kLimit)};
}

std::vector<AxisSlice> as_box(py::handle box) {
  std::vector<AxisSlice> result;
  if (box.is_none()) return result;
  for (py::handle entry : py::cast<py::tuple>(box)) {
    if (PyLong_Check(entry.ptr())) {
      result.push_back({as_int64(entry, "index", "integers", kBelow), 1, 1, false});
      continue;
    }
    const auto axis = as_integers(py::cast<py::tuple>(entry), "index", "integers", kBelow);
    if (axis.size() != 3) raise(PyExc_ValueError, "index must have start, step and count, got " + spelled(entry));
    result.push_back({axis[0], axis[1], axis[2], true});
  }
  return result;
}

template <>
double as<double>(py::handle value, const char* argument) {
  if (PyBool_Check(value.ptr()))
    raise(PyExc_TypeError, std::string(argument) + " must be a number, got " + spelled(value));
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1 && PyErr_Occurred()) {
    PyErr_Clear();
    raise(PyExc_TypeError, std::string(argument) + " must be a number, got " + spelled(value));
  }
  return number;
}

template <>
int64_t as<int64_t>(py::handle value, const char* argument) {
  return as_int64(value, argument, "an integer", kBelow);
}

template <>
bool as<bool>(py::handle value, const char* argument) {
  if (!PyLong_Check(value.ptr()))  // a bool is an integer
    raise(PyExc_TypeError, std::string(argument) + " must be True or False, got " + spelled(value));
  return PyObject_IsTrue(value.ptr()) == 1;
}

template <>
std::string_view as<std::string_view>(py::handle value, const char* argument) {
  return as_utf8(value, argument);
}

template <>
std::vector<int64_t> as<std::vector<int64_t>>(py::handle value, const char* argument) {
  const py::object sequence = as_sequence(value);
  if (!sequence)
    raise(PyExc_TypeError, std::string(argument) + " must be a sequence of integers, got " + spelled(value));
  return as_integers(sequence, argument, "integers", kBelow);
}

template <>
std::vector<double> as<std::vector<double>>(py::handle value, const char* argument) {
  const auto array = py::array_t<double, py::array::c_style>::ensure(value);
  if (!array) raise(PyExc_TypeError, std::string(argument) + " must be an array of numbers, got " + spelled(value));
  if (array.ndim() != 1)
    raise(PyExc_ValueError, std::string(argument) + " must have 1 dimension, got " + std::to_string(array.ndim()));
  return {array.data(), array.data() + array.size()};
}

// Converts a step, which is a tuple of name, operands, numbers, stream, and axes or None.
template <>
std::vector<Step> as<std::vector<Step>>(py::handle value, const char* argument) {
  std::vector<Step> steps;
  for (py::handle entry : py::cast<py::tuple>(value)) {
    const auto fields = py::cast<py::tuple>(entry);
    if (fields.size() != 5)
      raise(PyExc_ValueError, std::string(argument) + " must have 5 fields, got " + spelled(entry));
    const std::string_view name = as_utf8(fields[0], argument), stream = as_utf8(fields[3], argument);
    Step step{std::string(name), as<std::vector<int64_t>>(fields[1], argument), {}, std::string(stream), {}};
    for (py::handle number : py::cast<py::tuple>(fields[2]))
      step.numbers.push_back(as<double>(number, argument));
    if (!fields[4].is_none()) step.along = as<std::vector<int64_t>>(fields[4], argument);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace fanin::bindings
