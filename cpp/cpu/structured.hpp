// Weights whose entries are a function of their place, or of their place and one uniform number.
#pragma once

#include <vector>

#include "cpu/fill.hpp"
#include "cpu/scheme_kernels.hpp"
#include "tensor/structured.hpp"

namespace fanin::cpu {

// One value, as a pattern of bits, for every position on an axis of `patterns.size()`, whose neighbours are `axis_step`
// elements apart in the flattened tensor. `along`: that axis is the region's last. No axis joins it with others.
void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, bool along, size_t itemsize,
                    const Region& region, const Interrupt& interrupt);

// The table has room for kWholeRegisters more columns.
void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Interrupt& interrupt);

// The ones of diagonals of equally many outputs; the zeros are there.
void fill_diagonals(const std::vector<Diagonal>& diagonals, uint64_t pattern, size_t itemsize,
                    const Interrupt& interrupt);

// `uniform` draws from (0, 1) in float32 or float64.
void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, Region region, const Interrupt& interrupt);

}  // namespace fanin::cpu
