// Lists what each compiled instruction set offers, as plain functions over plain data: no inline code is shared between
// them.
#pragma once

#include "tensor/draw.hpp"

namespace fanin {

struct Moments {
  double sum, square;  // the sums of x - pivot, and of its square
  double minimum, maximum;
  uint64_t zeros;
};

struct OrthogonalKernels;
struct SchemeKernels;

struct Kernels {
  const char* isa;
  // Writes elements first … first + count - 1 of the flattened global tensor to `out`, contiguously.
  void (*run)(const Draw&, uint64_t first, uint64_t count, void* out);
  // Writes elements index[0] … index[count - 1] to `out`, contiguously.
  void (*gather)(const Draw&, const uint64_t* index, uint64_t count, void* out);
  // Measures at least one value. If one is not finite, then neither is `square`, and nothing else of the result is
  // right.
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
