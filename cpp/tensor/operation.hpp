// Lists the operations of expressions, by name and number of operands, once.
#pragma once

#include <cstdint>

// clang-format 14 finds a new layout for this list every time.
// clang-format off
#define FANIN_OPERATIONS(X) \
  X(add, 2) X(subtract, 2) X(multiply, 2) X(divide, 2) X(fma, 3) X(sqrt, 1) X(negate, 1) X(abs, 1) \
  X(minimum, 2) X(maximum, 2) X(exp, 1) X(log, 1) X(expm1, 1) X(log1p, 1) X(less, 2) X(where, 3)
// clang-format on

namespace fanin {

#define FANIN_ENTRY(name, count) name,
enum class Operation : uint8_t { FANIN_OPERATIONS(FANIN_ENTRY) };
#undef FANIN_ENTRY

}  // namespace fanin
