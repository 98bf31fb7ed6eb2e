// Computes expressions: blocks of elements, one operation after another.
#pragma once

#include <vector>

#include "cpu/fill.hpp"
#include "tensor/operation.hpp"

namespace fanin::cpu {

// What an instruction has in place of operands: a number, the element's own index, or a draw, which is of values as they
// are, of words w of 32 bits as integers or as (w + ½)·2⁻³², or of words W of 64 bits as ⌊W·n/2⁶⁴⌋.
enum class Source : uint8_t { none, constant, position, value, word, fraction, below };

struct Instruction {
  Source source;
  Operation operation;         // without a source
  int operands[3];             // the numbers of earlier instructions
  double number;               // of constant: the value; of below: n, at most 2^53
  Draw draw;                   // of a draw
  uint64_t first;              // of a position or draw: the index, in its own numbering, of the part's first element
  std::vector<int64_t> steps;  // and how it grows along every axis of the part
};

// Axes have the count and the stride of the output; their steps are not used.
struct ExpressionPart {
  char* data;
  std::vector<Axis> axes;
  Dtype dtype;
};

void fill_expression(std::vector<Instruction> program, ExpressionPart part, const Interrupt& interrupt);

}  // namespace fanin::cpu
