// Transposes a square in place: as many registers as each has lanes.
#pragma once

#include <cstddef>
#include <utility>

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// Exchanges the blocks of kStep lanes that lie off the diagonal of a and b.
template <int kStep, class V, size_t... I>
FANIN_FN void exchange(V& a, V& b, std::index_sequence<I...>) {
  constexpr size_t kLanes = sizeof...(I), s = kStep;
#if defined(__clang__) || __GNUC__ >= 12
  const V low = __builtin_shufflevector(a, b, int(I & s ? I - s + kLanes : I)...);
  const V high = __builtin_shufflevector(a, b, int(I & s ? I + kLanes : I + s)...);
#else
  using Index = decltype(a < b);
  const V low = __builtin_shuffle(a, b, Index{(I & s ? I - s + kLanes : I)...});
  const V high = __builtin_shuffle(a, b, Index{(I & s ? I + kLanes : I + s)...});
#endif
  a = low, b = high;
}

template <class V, int kLanes, int kStep = 1>
FANIN_FN void transpose(V (&x)[kLanes]) {
  FANIN_UNROLL
  for (int i = 0; i < kLanes; ++i)
    if ((i & kStep) == 0) exchange<kStep>(x[i], x[i + kStep], std::make_index_sequence<kLanes>());
  if constexpr (2 * kStep < kLanes) transpose<V, kLanes, 2 * kStep>(x);
}

}  // namespace fanin::FANIN_ISA
