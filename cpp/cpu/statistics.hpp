// Computes statistics of any strided memory, which is read once, on many threads.
#pragma once

#include "cpu/chunks.hpp"
#include "tensor/dtype.hpp"
#include "tensor/statistics.hpp"

namespace fanin::cpu {

// The steps of the region count elements in the order that the hash takes them.
Statistics statistics(Dtype dtype, Region region, const Interrupt& interrupt);

}  // namespace fanin::cpu
