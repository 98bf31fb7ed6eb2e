// Makes weights whose entries are a function of their place, or of their place and one uniform number.
#pragma once

#include <vector>

#include "cpu/fill.hpp"
#include "cpu/scheme_kernels.hpp"
#include "tensor/structured.hpp"

namespace fanin::cpu {

// Writes one value, given as its bits, for every position on an axis of `patterns.size()` positions, which are
// `axis_step` elements apart in the flattened tensor. `along` says that it is the last axis of the region; it is not
// joined with others.
void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, bool along, size_t itemsize,
                    const Region& region, const Interrupt& interrupt);

// The table has room for kWholeRegisters more columns.
void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Interrupt& interrupt);

// Writes the ones of diagonals, which all have equally many outputs, into memory that is zero.
void fill_diagonals(const std::vector<Diagonal>& diagonals, uint64_t pattern, size_t itemsize,
                    const Interrupt& interrupt);

// `uniform` draws from (0, 1) in float32 or float64.
void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, Region region, const Interrupt& interrupt);

}  // namespace fanin::cpu
