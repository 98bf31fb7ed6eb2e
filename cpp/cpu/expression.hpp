// Computes expressions, a block of elements at a time, one operation after another.
#pragma once

#include <vector>

#include "cpu/fill.hpp"
#include "tensor/operation.hpp"

namespace fanin::cpu {

// Says what an instruction has in place of operands: a number, the element's own index, or a draw. A draw is of values,
// of 32-bit words w, as integers or as (w + ½)·2⁻³², or of 64-bit words W as ⌊W·n/2⁶⁴⌋.
enum class Source : uint8_t { none, constant, position, value, word, fraction, below };

struct Instruction {
  Source source;
  Operation operation;         // applies if there is no source
  int operands[3];             // the numbers of earlier instructions
  double number;               // the value of a constant, or the n of `below`, which is at most 2^53
  Draw draw;                   // the draw that is a source
  uint64_t first;              // index of the part's first element, as a position or draw numbers its own
  std::vector<int64_t> steps;  // by which that index grows along every axis of the part
};

// Axes have the count and the stride of the output; their steps are not used.
struct ExpressionPart {
  char* data;
  std::vector<Axis> axes;
  Dtype dtype;
};

void fill_expression(std::vector<Instruction> program, ExpressionPart part, const Interrupt& interrupt);

}  // namespace fanin::cpu
