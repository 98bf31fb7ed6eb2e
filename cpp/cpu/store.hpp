// Rounds float64 values and stores them where they go.
#pragma once

#include "cpu/chunks.hpp"
#include "cpu/scheme_kernels.hpp"

namespace fanin::cpu {

constexpr int64_t kBlock = 512;  // elements that are computed before they are stored

// Rounds at most kBlock values to a dtype and stores them; room for whole registers is needed in `values`.
inline void store(const SchemeKernels& kernels, Dtype dtype, const double* values, int64_t count, char* data,
                  int64_t stride) {
  alignas(64) char rounded[kBlock * sizeof(double)];
  const size_t size = itemsize(dtype);
  kernels.round(dtype, values, count, rounded);
  scatter(size, rounded, int64_t(size), data, stride, count);
}

}  // namespace fanin::cpu
