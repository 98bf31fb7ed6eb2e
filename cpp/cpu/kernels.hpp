// What the compiled instruction sets offer, as plain functions over plain data: no inline code crosses this line.
#pragma once

#include "tensor/draw.hpp"

namespace fanin {

struct Moments {
  double sum, square;  // of x - pivot, and of its square
  double minimum, maximum;
  uint64_t zeros;
};

struct OrthogonalKernels;
struct SchemeKernels;

struct Kernels {
  const char* isa;
  // Elements first … first + count - 1 of the flattened global tensor, contiguous in `out`.
  void (*run)(const Draw&, uint64_t first, uint64_t count, void* out);
  // Elements index[0] … index[count - 1], contiguous in `out`.
  void (*gather)(const Draw&, const uint64_t* index, uint64_t count, void* out);
  // Of at least one value. Where one is not finite, neither is `square`, and only that is right.
  Moments (*moments)(Dtype, const void* data, uint64_t count, double pivot);
  uint64_t (*hash)(const void* data, uint64_t bytes);
  const OrthogonalKernels* orthogonal;  // cpu/reflectors.hpp
  const SchemeKernels* schemes;         // cpu/scheme_kernels.hpp
};

namespace baseline {
extern const Kernels kernels;
}
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
namespace neon {
extern const Kernels kernels;
}

}  // namespace fanin
