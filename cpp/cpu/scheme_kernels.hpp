// What the structured schemes ask of an instruction set, as plain functions over plain data.
#pragma once

#include "core/step_bias.hpp"
#include "cpu/kernels.hpp"
#include "cpu/select.hpp"
#include "tensor/dtype.hpp"

namespace fanin {

struct SchemeKernels {
  // Words are read to the next multiple of kWholeRegisters.
  int64_t (*count_below)(const uint32_t* words, int64_t count, uint32_t bound);
  // The `wanted` smallest: see find_cut.
  Cut (*cut)(const uint32_t* words, int64_t count, int64_t wanted);
  // One bit a word, from the lowest of `bits` on: whether it is below `bound`. The last bits of the last word are 0.
  void (*below)(const uint32_t* words, int64_t count, uint32_t bound, uint64_t* bits);
  // Zeroes the elements whose bit is 0.
  void (*keep)(const uint64_t* bits, int64_t count, size_t itemsize, void* data);

  // Functions of float64 work on whole registers: arrays have room up to the next multiple of kWholeRegisters elements.
  // Values as a dtype, by way of float32 where it is shorter.
  void (*round)(Dtype, const double* values, int64_t count, void* out);
  // sin 2π(position·(high + low) + quarter/4)
  void (*sinusoid)(double position, const double* high, const double* low, const uint64_t* quarter, int64_t count,
                   double* out);
  // From uniform numbers to biases, in place.
  void (*step_bias)(const StepBias&, int64_t count, double* values);
};

constexpr int64_t kWholeRegisters = 16;

}  // namespace fanin
