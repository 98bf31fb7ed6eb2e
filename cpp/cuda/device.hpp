// Turns errors of CUDA into exceptions, and makes the device current that calls are meant for.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <new>
#include <stdexcept>
#include <string>

namespace fanin::cuda {

inline void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // forgets the error, if CUDA can
  if (error == cudaErrorMemoryAllocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

// Makes a device current for as long as it lives; -1 leaves the current one. It puts the driver's context back, since
// another runtime in this process, such as torch's, sees nothing else of the change. A context that is current already,
// of the same device, is left alone: its owner's streams belong to it.
class OnDevice {
 public:
  explicit OnDevice(int device) {
    int current = -1;
    driver().get(&before_);
    if (before_ != nullptr) check(cudaGetDevice(&current));
    changed_ = device >= 0 && device != current;
    if (changed_) check(cudaSetDevice(device));
  }
  ~OnDevice() {
    if (changed_) driver().set(before_);
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  struct Driver {
    CUresult (*get)(CUcontext*);
    CUresult (*set)(CUcontext);
  };
  static const Driver& driver() {
    static const Driver found = {find<decltype(Driver::get)>("cuCtxGetCurrent"),
                                 find<decltype(Driver::set)>("cuCtxSetCurrent")};
    return found;
  }
  template <class Function>
  static Function find(const char* name) {
    void* entry = nullptr;
    cudaDriverEntryPointQueryResult result;
    check(cudaGetDriverEntryPointByVersion(name, &entry, 12000, cudaEnableDefault, &result));
    if (result != cudaDriverEntryPointSuccess) throw std::runtime_error(std::string("CUDA: the driver lacks ") + name);
    return reinterpret_cast<Function>(entry);
  }

  CUcontext before_ = nullptr;
  bool changed_;
};

}  // namespace fanin::cuda
