// Makes weights whose lines all have the same number of non-zero entries, at places that a keyed permutation chooses.
#pragma once

#include <vector>

#include "cpu/fill.hpp"

namespace fanin::cpu {

// Describes an axis of the wanted part of a weight, which is a matrix of lines by positions.
struct SparseAxis {
  int64_t count, step, stride;  // as in Axis
  bool of_lines;                // whether it counts lines, or else positions
  int64_t number;               // how many lines or positions neighbours are apart
};

// The axes go forward, in the order of the flattened tensor: all those of lines before all those of positions, or after, but
// for axes of one element.
struct SparsePart {
  uint64_t first;  // as in Region
  char* data;
  std::vector<SparseAxis> axes;
  uint64_t first_line, first_position;
  bool lines_outer;
};

struct SparseDraw {
  Draw values;           // the entries, if none were 0
  uint64_t mask_stream;  // the id of the mask's stream
  int64_t length;        // positions in a line
  int64_t nonzeros;      // entries of a line that are not 0, from 1 to length - 1
};

void sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt);

}  // namespace fanin::cpu
