// Parameters computed element by element from draws: docs/stream-v1.md §15 and §16.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../tensor/interrupt.hpp"
#include "../tensor/part.hpp"

namespace fanin {

// One step of an expression: a source of numbers, or an operation on the results of earlier steps.
struct Step {
  std::string name;               // of the operation, or of the source
  std::vector<int64_t> operands;  // the numbers of earlier steps, from 0
  std::vector<double> numbers;    // of a constant; of truncated_normal: mean, std, low, high, 1 for bounds in std; of below: how many
  std::string stream;             // of a draw: the name of its stream
  // Of a draw or a position: the axes along which it varies, in the order that its own index has. None: all axes.
  std::optional<std::vector<int64_t>> along;
};

// The last step's result. part.name has no use: every draw has the name of its own stream.
void expression(const std::vector<Step>& steps, const Part& part, const Output& out, const Interrupt& interrupt = {});

}  // namespace fanin
