// Computes expressions: blocks of elements, one operation after another.
#pragma once

#include <vector>

#include "cpu/fill.hpp"
#include "tensor/operation.hpp"

namespace fanin::cpu {

struct Instruction {
  bool is_source;
  Source source;        // of a source
  Operation operation;  // else
  int operands[3];      // numbers of earlier instructions
  double number;        // of constant: the value; of below: how many integers
  Draw draw;            // of a draw
  uint64_t first;       // of a draw or position: the index of the first element of the part, in its own numbering
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
