// Statistics of any strided memory in one reading of it, on many threads.
#pragma once

#include "core/dtype.hpp"
#include "cpu/chunks.hpp"

namespace fanin {

// Mean to maximum are those of the finite values, and NaN where there are none.
struct Statistics {
  uint64_t count = 0, finite = 0, nans = 0, infinities = 0, zeros = 0;
  double mean, deviation, minimum, maximum;
  uint64_t hash = 0;  // of the bits of all elements in order
};

// The region's steps count the elements in the order of the hash.
Statistics statistics(Dtype dtype, Region region, const Interrupt& interrupt);

}  // namespace fanin
