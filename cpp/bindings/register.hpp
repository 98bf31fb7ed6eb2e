// Each file of the bindings adds its functions and types to the module.
#pragma once

#include <pybind11/pybind11.h>

namespace fanin::bindings {

void register_dtype(pybind11::module_& m);
void register_memory(pybind11::module_& m);
void register_samplers(pybind11::module_& m);
void register_matrices(pybind11::module_& m);
void register_statistics(pybind11::module_& m);
void register_environment(pybind11::module_& m);
void register_entry(pybind11::module_& m);

}  // namespace fanin::bindings
