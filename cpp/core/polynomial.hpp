// Polynomials by Horner's rule, from the highest degree down, one fma a step.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

template <class L, class V, class Scalar, int N>
FANIN_FN V horner(V x, const Scalar (&c)[N]) {
  V y = L::splat(c[N - 1]);
  FANIN_UNROLL
  for (int k = N - 2; k >= 0; --k)
    y = L::fma(y, x, L::splat(c[k]));
  return y;
}

}  // namespace fanin::FANIN_ISA

#define FANIN_POLYNOMIAL(name, Scalar, ...) \
  template <class L, class V>               \
  FANIN_FN V name(V x) {                    \
    constexpr Scalar c[] = {__VA_ARGS__};   \
    return horner<L>(x, c);                 \
  }
