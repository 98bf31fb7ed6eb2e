// Computes tails and truncated moments of the standard normal for parameters: one value at a time, with the same bits
// everywhere.
#pragma once

#include "core/exp.hpp"
#include "core/scalar.hpp"
#include "core/truncated_normal.hpp"

namespace fanin::FANIN_ISA {

inline double exp_nonpositive(double y) { return y < -708.0 ? 0.0 : exponential<Scalar>(y); }

// Returns P(Z > x).
inline double upper_tail(double x) {
  if (x < 0) return 1.0 - upper_tail(-x);
  if (x >= 37.5) return 0.0;
  const double h = x * x, l = Scalar::fma(x, x, -h);
  double e = exp_nonpositive(-0.5 * h);
  e = Scalar::fma(-0.5 * l, e, e);
  return e * 0x1.9884533d43651p-2 * mills<Scalar>(x);
}

// `low` and `high` are values, not multiples of std, and are rounded inward to the compute type: float64 if `wide`.
inline Window make_window(bool wide, double mean, double std, double low, double high) {
  constexpr double kInfinity = __builtin_huge_val();
  Window w{};
  w.mean = mean, w.std = std;
  if (std == 0 || low == high) {
    w.shape = Window::kPoint;
    return w;
  }
  double alpha = (low - mean) / std, beta = (high - mean) / std;
  if (alpha < 5 && beta > -5) {
    // A larger std would become infinite in float32.
    const bool in_float32 = !wide && alpha <= 0 && beta >= 0 && std <= 0x1.fffffep127;
    w.shape = in_float32 ? Window::kAround : Window::kCentral;
    w.lower = upper_tail(-alpha), w.upper = upper_tail(beta);
    w.mass = alpha >= 0  ? upper_tail(alpha) - w.upper
             : beta <= 0 ? upper_tail(-beta) - w.lower
                         : 1.0 - w.lower - w.upper;
    return w;
  }
  w.shape = Window::kTail;
  w.sign = alpha >= 5 ? 1 : -1;
  w.base = alpha >= 5 ? low : high;
  if (alpha < 5) {
    const double mirrored = -beta;
    beta = -alpha, alpha = mirrored;
  }
  w.alpha = alpha;
  w.rho = beta == kInfinity ? 0
                            : exp_nonpositive(-0.5 * ((beta - alpha) * (beta + alpha))) *
                                  (mills<Scalar>(beta) / mills<Scalar>(alpha));
  return w;
}

// Returns the standard deviation of N(0, 1) truncated to ±c. Its square is 1 - 2cφ(c)/(1 - 2Q(c)) = R/(1 + R), where
// R = Σ c^2k/(2k + 1)!! over k ≥ 1 has positive terms only.
inline double truncated_std(double c) {
  if (c >= 9) return 1.0;
  double term = 1, r = 0;
  for (int k = 1; term > r * 0x1p-60 && k < 400; ++k) {
    term = term * (c * c) / (2 * k + 1);
    r += term;
  }
  return Scalar::sqrt(r / (1 + r));
}

}  // namespace fanin::FANIN_ISA
