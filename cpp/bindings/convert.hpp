// Converts Python's arguments to the API's. Every error names the argument, its value and what is allowed.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/expression.hpp"
#include "api/fanin.hpp"

namespace fanin::bindings {

namespace py = pybind11;

[[noreturn]] void raise(PyObject* type, const std::string& message);
// Sets Python's error to the C++ exception that is being handled.
void set_python_error() noexcept;
std::string text(const std::vector<int64_t>& shape);

uint64_t as_seed(py::handle);
std::string_view as_utf8(py::handle, const char* argument);  // is valid as long as the object
std::vector<int64_t> as_shape(py::handle);
std::vector<AxisSlice> as_box(py::handle);

// Converts one of a sampler's own arguments to the type that the API wants.
template <class T>
T as(py::handle value, const char* argument);
template <>
double as<double>(py::handle, const char*);
template <>
int64_t as<int64_t>(py::handle, const char*);
template <>
bool as<bool>(py::handle, const char*);
template <>
std::string_view as<std::string_view>(py::handle, const char*);
template <>
std::vector<int64_t> as<std::vector<int64_t>>(py::handle, const char*);
template <>
std::vector<double> as<std::vector<double>>(py::handle, const char*);
template <>
std::vector<Step> as<std::vector<Step>>(py::handle, const char*);

}  // namespace fanin::bindings
