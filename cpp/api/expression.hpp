// Computes parameters element by element from draws: docs/stream-v1.md §16 and §17.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../tensor/interrupt.hpp"
#include "../tensor/part.hpp"

namespace fanin {

// A step of an expression is an operation on the results of earlier steps, or a source of numbers, which is one of
//   constant(value), position()
//   uniform(low, high), normal(mean, std), truncated_normal(mean, std, low, high, whether bounds are in std)
//   bernoulli(p), exponential(rate), log_normal(mean, std), integers(low, high), which high is not one of
struct Step {
  std::string name;
  std::vector<int64_t> operands = {};  // of an operation: the numbers of earlier steps, from 0
  std::vector<double> numbers = {};    // of a source
  std::string stream = {};             // of a draw: the name of its stream, UTF-8
  // The axes along which a draw or position varies, in the order of its own index; none are given if it does along all.
  std::optional<std::vector<int64_t>> along = {};
};

// Returns how many operands an operation has, and 0 for a name that is no operation.
size_t operands_of(const std::string& name);

// Writes the last step's result. Draws have streams of their own, so part.name is not used.
void expression(const std::vector<Step>& steps, const Part& part, const Output& out, const Interrupt& interrupt = {});

}  // namespace fanin
