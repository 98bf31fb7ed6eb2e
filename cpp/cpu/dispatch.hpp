// Chooses the instruction set, once: the best that the processor has, or the one that FANIN_FORCE_ISA names.
#pragma once

#include <string>
#include <vector>

#include "cpu/kernels.hpp"

namespace fanin::cpu {

const Kernels& active_kernels();  // throws std::invalid_argument while FANIN_FORCE_ISA names an unavailable one
std::vector<std::string> compiled_isas();   // lists them, the best first
std::vector<std::string> available_isas();  // lists those that this processor has

}  // namespace fanin::cpu
