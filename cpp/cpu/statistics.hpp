// Statistics of any strided memory in one reading of it, on many threads.
#pragma once

#include "cpu/chunks.hpp"
#include "tensor/dtype.hpp"
#include "tensor/statistics.hpp"

namespace fanin::cpu {

// The region's steps count the elements in the order of the hash.
Statistics statistics(Dtype dtype, Region region, const Interrupt& interrupt);

}  // namespace fanin::cpu
