// Describes structured weights, whose entries are a function of their place.
#pragma once

#include <vector>

#include "tensor/region.hpp"

namespace fanin {

// Describes the ones of a Dirac convolution along one axis of outputs and one of inputs, which begin at the numbers
// `first_out` and `first_in`: output o has its one at input o mod `per_group`.
struct Diagonal {
  char* data;  // place of the first output and input that are taken, at the centre
  Taken outs, ins;
  int64_t per_group;  // outputs in a group
  int64_t first_out, first_in;

  // Returns where the one of the i-th output that is taken goes, or null if its input is not taken.
  FANIN_FN char* at(int64_t i) const {
    const int64_t in = (first_out + outs.start + i * outs.step) % per_group - first_in;
    const int64_t place = in >= 0 && in < ins.size ? ins.place_of(in) : -1;
    return place < 0 ? nullptr : data + i * outs.stride + place * ins.stride;
  }
};

// Describes positions by columns: a column is sin 2π(position·(high + low) + quarter/4). The vectors have room for
// whole registers beyond the last column.
struct SinusoidTable {
  Axis positions, columns;  // steps count positions; those of columns are not used
  int64_t first;            // the first position
  std::vector<double> high, low;
  std::vector<uint64_t> quarter;
};

}  // namespace fanin
