// Any box of a global tensor into any strided memory, on many threads, computing the box alone.
#pragma once

#include <vector>

#include "cpu/kernels.hpp"
#include "cpu/parallel.hpp"

namespace fanin {

struct Axis {
  int64_t count;
  int64_t step;    // between neighbours, in elements of the flattened global tensor
  int64_t stride;  // between neighbours, in bytes of the output
};

struct Region {
  uint64_t first;  // flat global index of the first element
  char* data;      // its place in the output
  std::vector<Axis> axes;
};

void fill(const Draw& draw, Region region, const Interrupt& interrupt);
void fill_constant(uint64_t pattern, size_t itemsize, Region region, const Interrupt& interrupt);

// Moments of `count` contiguous elements.
Moments moments(Dtype dtype, const void* data, uint64_t count, const Interrupt& interrupt);

}  // namespace fanin
