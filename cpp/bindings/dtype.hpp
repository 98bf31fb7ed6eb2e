// Converts element types to Python's, fanin._core.Dtype and NumPy's, and back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "api/fanin.hpp"

namespace fanin::bindings {

void register_dtype(pybind11::module_& m);

Dtype as_dtype(pybind11::handle);      // takes a fanin._core.Dtype
pybind11::object python_dtype(Dtype);  // returns a fanin._core.Dtype
const pybind11::dtype& numpy_dtype(Dtype);
pybind11::object empty_array(Dtype, const std::vector<int64_t>& shape);

}  // namespace fanin::bindings
