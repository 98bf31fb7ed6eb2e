// Evaluates polynomials by Horner's rule, from the highest degree down, with one fma for each step.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// Evaluates the polynomial of the coefficients from `kLowest` on, the first of which becomes the constant term.
template <class L, int kLowest = 0, class V, class Scalar, int N>
FANIN_FN V horner(V x, const Scalar (&c)[N]) {
  V y = L::splat(c[N - 1]);
  FANIN_UNROLL
  for (int k = N - 2; k >= kLowest; --k)
    y = L::fma(y, x, L::splat(c[k]));
  return y;
}

// Evaluates a polynomial at several points at once, a step for each in turn.
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

// Defines P as `name`, and (P(x) - P(0))/x as `name_from_1`.
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
