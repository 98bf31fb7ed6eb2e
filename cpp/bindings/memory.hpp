// Describes memory to be written, which in Python is a fanin._core.Memory, a NumPy array, or a GPU that draws a new
// array.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "api/fanin.hpp"

namespace fanin::bindings {

namespace py = pybind11;

// Is an array that is not NumPy's, on the CPU or on a GPU. There it is filled in the order of a stream.
struct Memory {
  uintptr_t address;
  Dtype dtype;
  std::vector<int64_t> shape, strides;  // strides count bytes
  std::optional<int> device = {};       // number of a GPU; -1 stands for the one that has the address
  uintptr_t stream = 0;
  bool wait = false;      // whether the call waits for the values, as its owner would not
  py::object owner = {};  // keeps the memory alive

  bool operator==(const Memory& other) const;
  std::string repr() const;
};

// Is the GPU that draws an array for the CPU; -1 stands for the current one.
struct Gpu {
  int number;
};

void register_memory(py::module_& m);

// Says where a result goes, and holds the new array that was made for it if `out` is None or a Gpu.
struct Target {
  Output output;
  py::object fresh = py::none();
};
Target as_target(py::handle out, Dtype dtype, const std::vector<int64_t>& shape);

}  // namespace fanin::bindings
