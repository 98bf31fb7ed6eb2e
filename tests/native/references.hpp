// What the transforms should give, by the C library in a wider type: double for float32 results, long double for float64.
#pragma once

#include <cmath>

namespace check {

template <class Real>
constexpr Real kHalfPi = Real(1.57079632679489661923132169163975144L);
template <class Real>
constexpr Real kSqrtHalf = Real(0.70710678118654752440084436210484904L);

// P(Z > x).
template <class Real>
Real upper_tail(Real x) {
  return std::erfc(x * kSqrtHalf<Real>) / 2;
}
// P(0 < Z < x), negative for negative x.
template <class Real>
Real from_mean(Real x) {
  return std::erf(x * kSqrtHalf<Real>) / 2;
}

// A probability, each part of it exact.
template <class Real>
struct Probability {
  Real below, above, centred;  // u, 1 - u, u - 1/2
};
template <class Real>
Probability<Real> probability(Real n, Real total) {
  return {n / total, (total - n) / total, (n - total / 2) / total};
}

// Windows of the standard normal: by how much the probability below x, within the window, exceeds the one asked for.
template <class Real>
Real excess_symmetric(Real x, const Probability<Real>& u, Real bound) {
  return from_mean(x) - u.centred * 2 * from_mean(bound);
}
template <class Real>
Real excess_above(Real x, const Probability<Real>& u, Real bound) {
  if (bound == 0 && x < 1) return from_mean(x) - u.below / 2;
  return u.above * upper_tail(bound) - upper_tail(x);
}
template <class Real>
Real excess_unbounded(Real x, const Probability<Real>& u, Real) {
  if (std::abs(x) < 1) return from_mean(x) - u.centred;
  return x < 0 ? upper_tail(-x) - u.below : u.above - upper_tail(x);
}

// The exact quantile near x, where the distribution function is `excess` too large: two terms of the inverse's series.
template <class Real>
Real corrected(Real x, Real excess) {
  const Real density = std::exp(-x * x / 2) * kSqrtHalf<Real> / std::sqrt(2 * kHalfPi<Real>);
  const Real d = excess / density;
  return x - d + x * d * d / 2;
}

template <class Real>
Real radius(Real u) {
  return std::sqrt(-2 * std::log(u));
}

// cos or sin of ±(k + 1/2) quarter turns' 2^-bits parts, as a word of 32 or 64 bits gives it.
template <class Real>
struct Direction {
  Real angle;  // within ±π/4
  bool reflect, turn;

  explicit Direction(uint32_t w)
      : angle((Real(int32_t(w << 2) >> 2) + Real(0.5)) * Real(0x1p-30) * kHalfPi<Real>),
        reflect(w >> 30 & 1),
        turn(w >> 31) {}
  explicit Direction(uint64_t w)  // the lowest ten bits are not used
      : angle((Real(int64_t(w << 2) >> 12) + Real(0.5)) * Real(0x1p-52) * kHalfPi<Real>),
        reflect(w >> 62 & 1),
        turn(w >> 63) {}

  Real cosine() const { return reflect ? std::sin(angle) : std::cos(angle); }
  Real sine() const { return reflect ? std::cos(angle) : std::sin(angle); }
  Real sign() const { return turn ? -1 : 1; }
};

}  // namespace check
