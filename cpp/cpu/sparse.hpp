// Weights of which every line has the same number of non-zero entries, at places that a keyed permutation chooses.
#pragma once

#include <vector>

#include "cpu/fill.hpp"

namespace fanin::cpu {

// An axis of the wanted part of a weight, which is a matrix of lines by positions.
struct SparseAxis {
  int64_t count, step, stride;  // as Axis
  bool of_lines;                // or of positions
  int64_t number;               // between neighbours, in lines or positions
};

// The axes go forward, in the order of the flattened tensor: all those of lines before all those of positions, or after, but
// for axes of one element.
struct SparsePart {
  uint64_t first;  // as Region
  char* data;
  std::vector<SparseAxis> axes;
  uint64_t first_line, first_position;
  bool lines_outer;
};

struct SparseDraw {
  Draw values;           // the entries, if none were 0
  uint64_t mask_stream;  // id
  int64_t length;        // positions of a line
  int64_t nonzeros;      // of a line, 1 … length - 1
};

void sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt);

}  // namespace fanin::cpu
