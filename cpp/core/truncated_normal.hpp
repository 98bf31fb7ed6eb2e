// Makes truncated normals by inversion: of one word, without rejection, with full relative accuracy in both tails.
#pragma once

#include "core/log.hpp"
#include "core/window.hpp"

namespace fanin::FANIN_ISA {

template <class L>
FANIN_FN typename L::F64 mills(typename L::F64 x) {  // computes Q(x)/φ(x), x ≥ 0
  return table::mills_f64<L>((x - 5.0) / (x + 5.0)) / (x + 1.0);
}

// Computes x/(p - q) as a function of W = -2 ln(4pq), where p = Φ(x) and q = 1 - p, after Giles, "Approximating the
// erfinv function", 2010: a polynomial in W up to 3.08 σ, in √W beyond.
template <class L>
FANIN_FN typename L::F64 quantile_quotient(typename L::F64 w) {
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

// Computes 32-bit elements in windows that contain the mean, in float32. Four words go in step, since one at a time
// would wait for its polynomials. Both pieces are polynomials in W, so that no root is needed. Largest error 4.43 ulp,
// of ⅛ where |x| is smaller; every word, α ≤ 0 ≤ β.
template <class L>
struct Around {
  using F32 = typename L::F32;
  using I32 = typename L::I32;
  F32 share, four_p0, q0, d0;  // a word's probability; 4p at the first word, q at the last, p - q in the middle

  FANIN_FN explicit Around(const Window& window)
      : share(L::splat(float(window.mass * 0x1p-32))),
        four_p0(L::splat(float(4.0 * window.lower + window.mass * 0x1p-31))),
        q0(L::splat(float(window.upper + window.mass * 0x1p-33))),
        d0(L::splat(float(window.lower - window.upper))) {}

  template <class Words>
  FANIN_FN void operator()(const Words& words, F32 (&x)[4]) const {
    F32 t[4], v[4], quotient[4];  // v = W - 5.5
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k) {
      const typename L::U32 w = words[k];
      const F32 hi = L::to_float(L::template as<I32>((w ^ 0x80000000u) & 0xffffff00u));
      const F32 lo = L::to_float(L::template as<I32>(w & 255u)) + 0.5f;
      x[k] = L::fma(lo, share * 2.0f, L::fma(hi, share * 2.0f, d0));
      const F32 four_p = L::fma(L::to_float(w), share * 4.0f, four_p0), q = L::fma(L::to_float(~w), share, q0);
      const F32 product = four_p * q;
      const Split32<L> split(product);
      t[k] = L::fma(product, split.scale, L::splat(-1.0f));
      v[k] = L::fma(split.exponent, L::splat(kMinusTwoLn2At23), L::splat(-5.5f));
    }
    table::log_f32<L>(t, quotient);
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      v[k] = L::fma(t[k], quotient[k], v[k]);
    table::quantile_central_f32<L>(v, quotient);
    if (L::any((v[0] > 5.5f) | (v[1] > 5.5f) | (v[2] > 5.5f) | (v[3] > 5.5f))) {
      F32 far[4];
      FANIN_UNROLL
      for (int k = 0; k < 4; ++k)
        t[k] = v[k] - 22.5f;
      table::quantile_far_f32<L>(t, far);
      FANIN_UNROLL
      for (int k = 0; k < 4; ++k)
        quotient[k] = L::select(v[k] > 5.5f, far[k], quotient[k]);
    }
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      x[k] = x[k] * quotient[k];
  }
};

// Computes them in float64. n counts from the window's low end in units of `scale`, rest = 1/scale - n from its high
// end; both are exact. Largest error 4.2 ulp, of 1 where |x| is smaller; every word, α < 5 and β > -5.
struct Central {
  template <class L>
  static FANIN_FN typename L::F64 value(const Window& window, double scale, typename L::F64 n, typename L::F64 rest) {
    using F64 = typename L::F64;
    const F64 mass = L::splat(window.mass * scale);
    const F64 p = L::fma(n, mass, L::splat(window.lower));
    const F64 q = L::fma(rest, mass, L::splat(window.upper));
    const F64 w = minus_two_log<L>(p * 4.0 * q);
    return L::fma((p - q) * quantile_quotient<L>(w), L::splat(window.std), L::splat(window.mean));
  }
};

// Computes them beyond 5 σ: the logarithm of the tail above x, relative to that above the bound α, is solved for
// δ = x - α. Largest error 1.3 ulp; every word, 5 ≤ α ≤ 1e100.
struct Tail {
  template <class L>
  static FANIN_FN typename L::F64 value(const Window& window, double scale, typename L::F64 n, typename L::F64 rest) {
    using F64 = typename L::F64;
    const F64 alpha = L::splat(window.alpha);
    const F64 u = (window.sign > 0 ? n : rest) * scale, v = (window.sign > 0 ? rest : n) * scale;

    const F64 y = L::fma(u, L::splat(window.rho), v);  // 1 - u (1 - ρ)
    const Split64<L> split(y);
    const F64 t = L::select(split.exponent == 0.0, u * -(1.0 - window.rho), y * split.scale - 1.0);
    const F64 a = L::fma(t, table::log_f64<L>(t), split.exponent * kMinusTwoLn2);

    const F64 log_mills = minus_two_log<L>(mills<L>(alpha));
    F64 delta = a / (alpha + L::sqrt(L::fma(alpha, alpha, a)));
    for (int step = 0; step < 3; ++step) {
      const F64 m = mills<L>(alpha + delta);
      const F64 f = L::fma(L::splat(2.0), alpha, delta) * delta + minus_two_log<L>(m) - log_mills - a;
      delta = L::fma(f * -0.5, m, delta);
    }
    return L::fma(delta * window.sign, L::splat(window.std), L::splat(window.base));
  }
};

}  // namespace fanin::FANIN_ISA
