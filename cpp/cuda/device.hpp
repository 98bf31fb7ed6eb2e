// Errors of CUDA, and the device that calls are meant for.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <new>
#include <stdexcept>
#include <string>

namespace fanin::cuda {

inline void check(cudaError_t error) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // forgotten, where it can be
  if (error == cudaErrorMemoryAllocation) throw std::bad_alloc();
  throw std::runtime_error(std::string("CUDA: ") + cudaGetErrorString(error));
}

// Makes a device current for as long as it lives; -1 leaves the one that is. Another runtime in this process, such as torch's,
// knows of the change only through the driver's context, which is therefore what is put back; a context of the device that is
// current already is left alone, as its owner's streams belong to it.
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
