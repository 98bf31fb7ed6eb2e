// Makes permutations: they are places in the order of random words.
#pragma once

#include "cpu/fill.hpp"

namespace fanin::cpu {

// Draws for every line the places of its words in their order, equal ones by place, and writes those that are taken
// `along` it. A line's words begin at line_pitch times its number.
void permutation(const Draw& words, const Region& lines, const Taken& along, Dtype dtype, const Interrupt& interrupt);

}  // namespace fanin::cpu
