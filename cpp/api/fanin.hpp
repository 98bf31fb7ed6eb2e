// fanin's C++ interface: validated entry points. Errors are std::invalid_argument naming the argument, its value and what is
// allowed. docs/stream-v1.md defines every value.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../tensor/interrupt.hpp"
#include "../tensor/part.hpp"
#include "../tensor/statistics.hpp"

namespace fanin {

// Thrown by what has no kernel yet.
struct NotOnGpu : std::runtime_error {
  explicit NotOnGpu(const std::string& what)
      : std::runtime_error(
            what + " cannot be drawn on a GPU yet: draw it on the CPU and copy it there, for the same values") {}
};

// Checks shape and box, as every sampler does first, and gives the shape of the result.
std::vector<int64_t> result_shape(const Part& part);

void bits(const Part& part, const Output& out, const Interrupt& interrupt = {});
void uniform(double low, double high, const Part& part, const Output& out, const Interrupt& interrupt = {});
void normal(double mean, double deviation, const Part& part, const Output& out, const Interrupt& interrupt = {});
// Bounds are absolute, or in units of the deviation from the mean.
void truncated_normal(double mean, double deviation, double low, double high, bool in_std, const Part& part,
                      const Output& out, const Interrupt& interrupt = {});
void constant(double value, const Part& part, const Output& out, const Interrupt& interrupt = {});

// A layout says which axes of a weight are what: "OI" is (out, in, *spatial), "IO" is (*spatial, in, out), and else there is a
// letter for every axis: O output, I input, any of X, Y, Z, H, W, D and T spatial, B batch. Several axes of outputs, or of
// anything else, are flattened in C order. There is a matrix for every index of the batch axes.

// A matrix of `out` rows by all else, Haar-orthogonal: orthonormal rows where they are no more than the columns, else
// orthonormal columns. Every block of that many outputs, along their first axis, is a matrix of its own, if there are blocks.
// gain multiplies.
void orthogonal(double gain, std::string_view layout, const std::vector<int64_t>& blocks, const Part& part,
                const Output& out, const Interrupt& interrupt = {});
// Square Haar-orthogonal matrices: the last two axes. `special`: of determinant +1.
void haar(double gain, bool special, const Part& part, const Output& out, const Interrupt& interrupt = {});
// The orthogonal matrix (out, in) at the centre of the spatial axes, 0 elsewhere: Xiao et al. 2018.
void delta_orthogonal(double gain, std::string_view layout, const Part& part, const Output& out,
                      const Interrupt& interrupt = {});

// Exactly `nonzeros` entries of every line are N(0, deviation²), the others 0. A line is all weights into one output, or into
// all outputs from one input.
void sparse(double deviation, int64_t nonzeros, bool per_output, std::string_view layout, const Part& part,
            const Output& out, const Interrupt& interrupt = {});
// gain at the centre of the spatial axes where an output's number within its group is that of an input, 0 elsewhere.
void dirac(double gain, int64_t groups, std::string_view layout, const Part& part, const Output& out,
           const Interrupt& interrupt = {});
// The values along one axis, the same everywhere else.
void broadcast(const std::vector<double>& values, int64_t axis, const Part& part, const Output& out,
               const Interrupt& interrupt = {});
// Sines and cosines of positions (axis 0) at half as many frequencies as features (axis 1), given in turns per position as
// unevaluated sums. Interleaved: a sine and a cosine of each frequency in turn; otherwise sines first, then cosines.
void sinusoid(const std::vector<double>& turns_high, const std::vector<double>& turns_low, bool interleaved,
              const Part& part, const Output& out, const Interrupt& interrupt = {});
// Inverse softplus of step sizes that are log-uniform between low and high, and at least `floor`: Gu & Dao 2023.
void step_bias(double low, double high, double floor, const Part& part, const Output& out,
               const Interrupt& interrupt = {});

// A permutation of 0, 1, … along the last axis, for every index of the others.
void permutation(const Part& part, const Output& out, const Interrupt& interrupt = {});

// What one reading of an array tells: the same bits for any number of threads and any instruction set.
Statistics statistics(const Input& input, const Interrupt& interrupt = {});

// The Philox stream of a name: BLAKE2b over a tag and its UTF-8.
uint64_t stream_id(std::string_view name, uint8_t tag);
// The standard deviation of N(0, 1) truncated to ±c.
double truncated_std(double c);

}  // namespace fanin
