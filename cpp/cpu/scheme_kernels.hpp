// Lists what each instruction set offers for structured schemes, as plain functions over plain data.
#pragma once

#include "core/step_bias.hpp"
#include "cpu/kernels.hpp"
#include "cpu/select.hpp"
#include "tensor/dtype.hpp"
#include "tensor/operation.hpp"

namespace fanin {

struct SchemeKernels {
  // Words are read to the next multiple of kWholeRegisters.
  int64_t (*count_below)(const uint32_t* words, int64_t count, uint32_t bound);
  // Finds the `wanted` smallest words: see find_cut.
  Cut (*cut)(const uint32_t* words, int64_t count, int64_t wanted);
  // Writes one bit for each word, from the lowest of `bits` on: whether it is below `bound`. Bits that are left over
  // are 0.
  void (*below)(const uint32_t* words, int64_t count, uint32_t bound, uint64_t* bits);
  // Zeroes the elements whose bit is 0.
  void (*keep)(const uint64_t* bits, int64_t count, size_t itemsize, void* data);

  // Functions of float64 work on whole registers: arrays have room up to the next multiple of kWholeRegisters elements.
  // Rounds values to a dtype, by way of float32 if it is shorter than that.
  void (*round)(Dtype, const double* values, int64_t count, void* out);
  // Computes sin 2π(position·(high + low) + quarter/4).
  void (*sinusoid)(double position, const double* high, const double* low, const uint64_t* quarter, int64_t count,
                   double* out);
  // Turns uniform numbers into biases, in place.
  void (*step_bias)(const StepBias&, int64_t count, double* values);
  // Applies an operation of expressions; operands beyond its number are not read.
  void (*operate)(Operation, const double* const* operands, int64_t count, double* out);
  // Makes every NaN the positive quiet one without payload, in place.
  void (*settle)(int64_t count, double* values);
};

constexpr int64_t kWholeRegisters = 16;

}  // namespace fanin
