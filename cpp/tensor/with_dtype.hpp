// Makes a dtype known at compile time, by the only switch over dtypes. It has no default case, so that the compiler
// points to it when a dtype is added; for the same reason every table by dtype is a template without a default.
#pragma once

#include "tensor/dtype.hpp"

namespace fanin {

template <Dtype kDtype>
struct DtypeIs {
  static constexpr Dtype value = kDtype;
};

// Calls action(DtypeIs<dtype>()) for a dtype that weights can have; the API refuses all others. Only the host calls
// this.
template <class Action>
__attribute__((always_inline)) inline auto with_float(Dtype dtype, const Action& action) {
  switch (dtype) {
#define FANIN_ENTRY(name, size) \
  case Dtype::name: return action(DtypeIs<Dtype::name>());
    FANIN_FLOATS(FANIN_ENTRY)
#undef FANIN_ENTRY
#define FANIN_ENTRY(name, size) case Dtype::name:
    FANIN_WORDS(FANIN_ENTRY)
#undef FANIN_ENTRY
    break;
  }
  __builtin_trap();
}

}  // namespace fanin
