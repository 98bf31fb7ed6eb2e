// Fills any strided memory with any box of a global tensor, on many threads, and computes nothing but the box.
#pragma once

#include "cpu/chunks.hpp"
#include "cpu/kernels.hpp"
#include "cpu/mask.hpp"

namespace fanin::cpu {

// Elements that a mask does not keep are 0.
void fill(const Draw& draw, Region region, const Interrupt& interrupt, const Mask* mask = nullptr);
void fill_constant(uint64_t pattern, size_t itemsize, Region region, const Interrupt& interrupt);

}  // namespace fanin::cpu
