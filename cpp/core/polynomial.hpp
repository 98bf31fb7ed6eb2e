// Polynomials by Horner's rule, from the highest degree down, one fma a step.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// The coefficients from `kLowest` on, as a polynomial of their own.
template <class L, int kLowest = 0, class V, class Scalar, int N>
FANIN_FN V horner(V x, const Scalar (&c)[N]) {
  V y = L::splat(c[N - 1]);
  FANIN_UNROLL
  for (int k = N - 2; k >= kLowest; --k)
    y = L::fma(y, x, L::splat(c[k]));
  return y;
}

// Several at once, a step of each in turn.
template <class L, int M, class V, class Scalar, int N>
FANIN_FN void horner(const V (&x)[M], V (&y)[M], const Scalar (&c)[N]) {
  FANIN_UNROLL
  for (int i = 0; i < M; ++i)
    y[i] = L::splat(c[N - 1]);
  FANIN_UNROLL
  for (int k = N - 2; k >= 0; --k) {
    FANIN_UNROLL
    for (int i = 0; i < M; ++i)
      y[i] = L::fma(y[i], x[i], L::splat(c[k]));
  }
}

}  // namespace fanin::FANIN_ISA

// `name`, and `name_from_1`, which lacks the constant term and has one factor x less: (P(x) - P(0))/x.
#define FANIN_POLYNOMIAL(name, Scalar, ...)      \
  template <class L, class V>                    \
  FANIN_FN V name(V x) {                         \
    constexpr Scalar c[] = {__VA_ARGS__};        \
    return horner<L>(x, c);                      \
  }                                              \
  template <class L, class V, int M>             \
  FANIN_FN void name(const V(&x)[M], V(&y)[M]) { \
    constexpr Scalar c[] = {__VA_ARGS__};        \
    horner<L>(x, y, c);                          \
  }                                              \
  template <class L, class V>                    \
  FANIN_FN V name##_from_1(V x) {                \
    constexpr Scalar c[] = {__VA_ARGS__};        \
    return horner<L, 1>(x, c);                   \
  }
