// What an expression is made of. The one list of its operations, and of the laws that its draws can have.
#pragma once

#include <cstdint>

// A name, and how many operands it has.
#define FANIN_OPERATIONS(X)                                                                                          \
  X(add, 2) X(subtract, 2) X(multiply, 2) X(divide, 2) X(fma, 3) X(sqrt, 1) X(negate, 1) X(abs, 1) X(minimum, 2)     \
      X(maximum, 2) X(exp, 1) X(log, 1) X(expm1, 1) X(log1p, 1) X(less, 2) X(where, 3)

// A name, and how many numbers it has. `constant` and `position` are no draws: the latter is an element's index along the axes.
#define FANIN_SOURCES(X) \
  X(constant, 1) X(position, 0) X(uniform, 0) X(normal, 0) X(truncated_normal, 5) X(fraction, 0) X(word, 0) X(below, 1)

namespace fanin {

#define FANIN_ENTRY(name, count) name,
enum class Operation : uint8_t { FANIN_OPERATIONS(FANIN_ENTRY) };
enum class Source : uint8_t { FANIN_SOURCES(FANIN_ENTRY) };
#undef FANIN_ENTRY

}  // namespace fanin
