// This is fanin's C++ interface. Its functions check their arguments: a std::invalid_argument names the argument, its
// value and what is allowed. docs/stream-v1.md defines every value. The caller may round as it likes.
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

// Is thrown by functions that have no kernel for a GPU yet.
struct NotOnGpu : std::runtime_error {
  explicit NotOnGpu(const std::string& what)
      : std::runtime_error(
            what + " cannot be drawn on a GPU yet: draw it on the CPU and copy it there, for the same values") {}
};

// Checks shape and box, as every function here does first, and returns the shape of the result.
std::vector<int64_t> result_shape(const Part& part);

void bits(const Part& part, const Output& out, const Interrupt& interrupt = {});
void uniform(double low, double high, const Part& part, const Output& out, const Interrupt& interrupt = {});
void normal(double mean, double deviation, const Part& part, const Output& out, const Interrupt& interrupt = {});
// `in_std` says that the bounds are in units of the deviation from the mean; else they are absolute.
void truncated_normal(double mean, double deviation, double low, double high, bool in_std, const Part& part,
                      const Output& out, const Interrupt& interrupt = {});
void constant(double value, const Part& part, const Output& out, const Interrupt& interrupt = {});

// A layout says what the axes of a weight are: "OI" is (out, in, *spatial), "IO" is (*spatial, in, out), and any other
// layout has a letter for every axis: O for outputs, I for inputs, X, Y, Z, H, W, D or T for spatial axes, B for
// batches. Several axes of one kind are flattened in C order. There is a matrix for every index of the batch axes.

// Draws a Haar-orthogonal matrix whose rows are the outputs and whose columns are all other axes. Its rows are
// orthonormal if there are no more of them than columns, else its columns are. `blocks` are sizes along the first axis
// of outputs, each of which makes a matrix of its own. The gain multiplies every entry.
void orthogonal(double gain, std::string_view layout, const std::vector<int64_t>& blocks, const Part& part,
                const Output& out, const Interrupt& interrupt = {});
// Draws square Haar-orthogonal matrices over the last two axes. `special` ones have determinant +1.
void haar(double gain, bool special, const Part& part, const Output& out, const Interrupt& interrupt = {});
// Puts an orthogonal matrix (out, in) at the centre of the spatial axes, and 0 elsewhere: Xiao et al. 2018.
void delta_orthogonal(double gain, std::string_view layout, const Part& part, const Output& out,
                      const Interrupt& interrupt = {});

// Exactly `nonzeros` entries of every line are N(0, deviation²), and the others are 0. A line is all weights into one
// output, or all weights from one input.
void sparse(double deviation, int64_t nonzeros, bool per_output, std::string_view layout, const Part& part,
            const Output& out, const Interrupt& interrupt = {});
// Writes the gain at the centre of the spatial axes where an output has the number of an input within its group, and 0
// elsewhere.
void dirac(double gain, int64_t groups, std::string_view layout, const Part& part, const Output& out,
           const Interrupt& interrupt = {});
// Repeats the values, which are given for one axis, over all other axes.
void broadcast(const std::vector<double>& values, int64_t axis, const Part& part, const Output& out,
               const Interrupt& interrupt = {});
// Writes sines and cosines of the positions (axis 0) at half as many frequencies as there are features (axis 1). A
// frequency is the unevaluated sum of two numbers of turns per position. `interleaved` puts each frequency's cosine
// next to its sine; else all sines come first.
void sinusoid(const std::vector<double>& turns_high, const std::vector<double>& turns_low, bool interleaved,
              const Part& part, const Output& out, const Interrupt& interrupt = {});
// Draws the inverse softplus of step sizes, which are log-uniform between low and high, and at least `floor`:
// Gu & Dao 2023.
void step_bias(double low, double high, double floor, const Part& part, const Output& out,
               const Interrupt& interrupt = {});

// Draws a permutation of 0, 1, … along the last axis, for every index of the other axes.
void permutation(const Part& part, const Output& out, const Interrupt& interrupt = {});

// Computes the statistics of an array by reading it once. Threads and instruction sets change no bit of them.
Statistics statistics(const Input& input, const Interrupt& interrupt = {});

// Returns the number of a name's Philox stream: the BLAKE2b of a tag and the name's UTF-8.
uint64_t stream_id(std::string_view name, uint8_t tag);
// Returns the standard deviation of N(0, 1) truncated to ±c.
double truncated_std(double c);

}  // namespace fanin
