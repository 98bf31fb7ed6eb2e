// Truncated normals by inversion: one word, no rejection, both tails kept to full relative accuracy.
#pragma once

#include "core/log.hpp"
#include "core/window.hpp"

namespace fanin::FANIN_ISA {

template <class L>
FANIN_FN typename L::F64 mills(typename L::F64 x) {  // Q(x)/φ(x), x ≥ 0
  return table::mills_f64<L>((x - 5.0) / (x + 5.0)) / (x + 1.0);
}

// x/(p - q) as a function of W = -2 ln(4pq), where p = Φ(x) and q = 1 - p: after Giles, "Approximating the erfinv
// function", 2010. A polynomial in W up to 3.08 σ, in √W beyond. `Single` is accurate enough for float32 results.
struct Single {
  using Log = ShortLog;
  template <class L>
  static FANIN_FN typename L::F64 quotient(typename L::F64 w) {
    using F64 = typename L::F64;
    const F64 central = table::quantile_central_f32<L>(w - 5.5);
    const auto far = w > 11.0;
    if (!L::any(far)) return central;
    const F64 tail = table::quantile_tail_f32<L>(L::sqrt(w) - 6.0);
    return L::select(far, tail, central);
  }
};
struct Double {
  using Log = FullLog;
  template <class L>
  static FANIN_FN typename L::F64 quotient(typename L::F64 w) {
    using F64 = typename L::F64;
    F64 result = table::quantile_central_f64<L>(w - 5.5);
    const auto outside = w > 11.0;
    if (!L::any(outside)) return result;
    const F64 s = L::sqrt(w);
    result = L::select(outside, table::quantile_tail_f64<L>(s - 4.5), result);
    const auto far = s > 5.75;
    if (!L::any(far)) return result;
    return L::select(far, table::quantile_far_f64<L>(s - 8.0), result);
  }
};

// Both shapes of window: n counts from the window's low end in units of `scale`, rest = 1/scale - n from its high end; both
// are exact.
struct Central {
  template <class L, class Precision>
  static FANIN_FN typename L::F64 value(const Window& window, double scale, typename L::F64 n, typename L::F64 rest) {
    using F64 = typename L::F64;
    const F64 mass = L::splat(window.mass * scale);
    const F64 p = L::fma(n, mass, L::splat(window.lower));
    const F64 q = L::fma(rest, mass, L::splat(window.upper));
    const F64 w = minus_two_log<L, typename Precision::Log>(p * 4.0 * q);
    return L::fma((p - q) * Precision::template quotient<L>(w), L::splat(window.std), L::splat(window.mean));
  }
};

// Beyond 5 σ: the logarithm of the tail above x, relative to the tail above the bound α, is solved for δ = x - α.
struct Tail {
  template <class L, class>
  static FANIN_FN typename L::F64 value(const Window& window, double scale, typename L::F64 n, typename L::F64 rest) {
    using F64 = typename L::F64;
    const F64 alpha = L::splat(window.alpha);
    const F64 u = (window.sign > 0 ? n : rest) * scale, v = (window.sign > 0 ? rest : n) * scale;

    const F64 y = L::fma(u, L::splat(window.rho), v);  // 1 - u (1 - ρ)
    const Split64<L> split(y);
    const F64 t = L::select(split.exponent == 0.0, u * -(1.0 - window.rho), y * split.scale - 1.0);
    const F64 a = L::fma(t, table::log_f64<L>(t), split.exponent * kMinusTwoLn2);

    const F64 log_mills = minus_two_log<L, FullLog>(mills<L>(alpha));
    F64 delta = a / (alpha + L::sqrt(L::fma(alpha, alpha, a)));
    for (int step = 0; step < 3; ++step) {
      const F64 m = mills<L>(alpha + delta);
      const F64 f = L::fma(L::splat(2.0), alpha, delta) * delta + minus_two_log<L, FullLog>(m) - log_mills - a;
      delta = L::fma(f * -0.5, m, delta);
    }
    return L::fma(delta * window.sign, L::splat(window.std), L::splat(window.base));
  }
};

}  // namespace fanin::FANIN_ISA
