// Makes a Householder reflector I - 2vvᵀ/‖v‖² that maps x, a vector of normals, to a multiple of e_k: v = x +
// sign(x_k)‖x‖e_k.
#pragma once

#include "core/scalar.hpp"

namespace fanin::FANIN_ISA {

template <class T>
struct Reflector {
  T head;  // v_k
  T sign;  // -sign(x_k), which R's diagonal would have as well
  T half;  // ‖v‖²/2
};

// `rest` is the sum of squares below x_k. Everything but the last step is in float64: a norm in float32 would cost
// orthogonality a digit. The `last` coordinate has none below it, and its reflector is exact.
template <class T>
FANIN_FN Reflector<T> make_reflector(T x, double rest, bool last) {
  const double s = x < 0 ? -1.0 : 1.0;
  if (last) return {T(s), T(-s), T(0.5)};
  const double norm = Scalar::sqrt(Scalar::fma(double(x), double(x), rest));
  const T head = T(double(x) + s * norm);
  return {head, T(-s), T(0.5 * Scalar::fma(double(head), double(head), rest))};
}

}  // namespace fanin::FANIN_ISA
