// Tells of threads, instruction sets and GPUs, and computes numbers that need no array.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "api/environment.hpp"
#include "bindings/convert.hpp"
#include "bindings/register.hpp"
#include "cuda/backend.hpp"

namespace fanin::bindings {
namespace {

py::dict build_info() {
  py::dict info;
  info["compiled_isas"] = compiled_isas();
  info["available_isas"] = available_isas();
  info["active_isa"] = active_isa();
  info["openmp"] = threading_backend() == "OpenMP";
  info["threading"] = threading_backend();
#if defined(__clang__)
  info["compiler"] = "Clang " __clang_version__;
#else
  info["compiler"] = "GCC " __VERSION__;
#endif
  return info;
}

void set_threads(py::handle threads) {
  if (threads.is_none()) return set_thread_count(0);
  const auto n = as<int64_t>(threads, "n");
  if (n < 1 || n > INT32_MAX)
    raise(PyExc_ValueError, "the number of threads must be at least 1 and below 2^31, got " + std::to_string(n));
  set_thread_count(int(n));
}

void set_backend(py::handle capsule) {
  const void* const backend = PyCapsule_GetPointer(capsule.ptr(), cuda::kBackendName);
  if (!backend) throw py::error_already_set();
  cuda::set_backend(static_cast<const cuda::Backend*>(backend));
}

}  // namespace

void register_environment(py::module_& m) {
  m.def("stream_id", [](py::handle name, uint8_t tag) { return stream_id(as_utf8(name, "name"), tag); });
  m.def("truncated_std", &truncated_std);
  m.def("set_num_threads", &set_threads);
  m.def("get_num_threads", &thread_count);
  m.def("swap_thread_limit", &swap_thread_limit);
  m.def("build_info", &build_info);
  m.def("set_cuda_backend", &set_backend);
  m.def("has_gpu_kernel", [](py::handle function) { return has_gpu_kernel(as_utf8(function, "function")); });
}

}  // namespace fanin::bindings
