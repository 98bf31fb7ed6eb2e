// Parameters computed element by element from draws: docs/stream-v1.md §16 and §17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../tensor/interrupt.hpp"
#include "../tensor/part.hpp"

namespace fanin {

// One step of an expression: an operation on the results of earlier steps, or a source of numbers, which is one of
//   constant(value), position()
//   uniform(low, high), normal(mean, std), truncated_normal(mean, std, low, high, whether bounds are in std)
//   bernoulli(p), exponential(rate), log_normal(mean, std), integers(low, high), which high is not one of
struct Step {
  std::string name;
  std::vector<int64_t> operands = {};  // of an operation: the numbers of earlier steps, from 0
  std::vector<double> numbers = {};    // of a source
  std::string stream = {};             // of a draw: the name of its stream, UTF-8
  // Of a draw or position: the axes along which it varies, in the order of its own index. None: all axes.
  std::optional<std::vector<int64_t>> along = {};
};

// How many operands an operation has; 0 for what is none.
size_t operands_of(const std::string& name);

// The last step's result. Draws have streams of their own, so that part.name has no use.
void expression(const std::vector<Step>& steps, const Part& part, const Output& out, const Interrupt& interrupt = {});

}  // namespace fanin
