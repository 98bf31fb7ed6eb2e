// fanin._cuda tells what this build and this machine can do on a GPU, and has the fills that fanin._core calls there.
#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "cuda/device.hpp"
#include "cuda/module.hpp"

namespace py = pybind11;

namespace fanin::cuda {
namespace {

int device_of(uintptr_t address) {
  cudaPointerAttributes attributes;
  check(cudaPointerGetAttributes(&attributes, reinterpret_cast<void*>(address)));
  if (attributes.type != cudaMemoryTypeDevice && attributes.type != cudaMemoryTypeManaged)
    throw std::invalid_argument("out must be in a GPU's memory, as its CUDA array interface says");
  return attributes.device;
}

constexpr Backend kBackend = {fill,          fill_constant,  fill_broadcast, fill_diagonal,
                              fill_sinusoid, fill_step_bias, draw_to_host};

// Describes the GPUs. It never raises: the entry "error" has an error in CUDA's words.
py::dict status() {
  py::dict result;
  int driver = 0, count = 0, current = 0;
  cudaDriverGetVersion(&driver);
  result["runtime"] = CUDART_VERSION;
  result["driver"] = driver;
  result["architectures"] = FANIN_CUDA_ARCHITECTURES;
  cudaError_t error = cudaGetDeviceCount(&count);
  py::list devices;
  for (int i = 0; error == cudaSuccess && i < count; ++i) {
    cudaDeviceProp properties;
    error = cudaGetDeviceProperties(&properties, i);
    if (error == cudaSuccess)
      devices.append(py::make_tuple(std::string(properties.name), properties.major, properties.minor,
                                    properties.totalGlobalMem, properties.multiProcessorCount));
  }
  if (error == cudaSuccess) error = cudaGetDevice(&current);
  cudaGetLastError();
  result["devices"] = devices;
  result["current"] = current;
  result["error"] = error == cudaSuccess ? py::object(py::none()) : py::str(cudaGetErrorString(error));
  return result;
}

// Is a context of Python's in which a device is current.
class Current {
 public:
  explicit Current(int device) : device_(device) {}
  void enter() { current_.emplace(device_); }
  void exit(const py::args&) { current_.reset(); }

 private:
  int device_;
  std::optional<OnDevice> current_;
};

}  // namespace
}  // namespace fanin::cuda

PYBIND11_MODULE(_cuda, m) {
  using fanin::cuda::Current;
  m.def("status", &fanin::cuda::status);
  py::class_<Current>(m, "Current")
      .def(py::init<int>())
      .def("__enter__", &Current::enter)
      .def("__exit__", &Current::exit);
  m.def("device_of", &fanin::cuda::device_of);
  m.attr("backend") = py::capsule(&fanin::cuda::kBackend, fanin::cuda::kBackendName);
}
