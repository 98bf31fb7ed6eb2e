// Memory to be written, as Python describes it: fanin._core.Memory, a NumPy array, or a GPU that draws a new one.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

#include "api/fanin.hpp"

namespace fanin::bindings {

namespace py = pybind11;

// An array that is not NumPy's: on the CPU, or on a GPU, in whose stream it is filled.
struct Memory {
  uintptr_t address;
  Dtype dtype;
  std::vector<int64_t> shape, strides;  // strides in bytes
  std::optional<int> device = {};       // of a GPU; -1: the one that has the address
  uintptr_t stream = 0;
  bool wait = false;      // for what is written: its owner would not
  py::object owner = {};  // what keeps the memory

  bool operator==(const Memory& other) const;
  std::string repr() const;
};

// The GPU that draws an array of the CPU; -1 for the current one.
struct Gpu {
  int number;
};

void register_memory(py::module_& m);

// Where a result of this dtype and shape goes, and the new array that is made for it where `out` is None or a Gpu.
struct Target {
  Output output;
  py::object fresh = py::none();
};
Target as_target(py::handle out, Dtype dtype, const std::vector<int64_t>& shape);

}  // namespace fanin::bindings
