// From a dtype at run time to one at compile time: the only switch over dtypes. It has no default, so the compiler names it
// where a dtype is added; every table by dtype is a template without one, for the same reason.
#pragma once

#include "tensor/dtype.hpp"

namespace fanin {

template <Dtype kDtype>
struct DtypeIs {
  static constexpr Dtype value = kDtype;
};

// Calls action(DtypeIs<dtype>()) for one that weights can have. No other comes here: the API refuses it. For the host.
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
