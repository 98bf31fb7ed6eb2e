// Computes sines and cosines in float64: of an angle within ±π/4, and of a position times a frequency, at any phase.
#pragma once

#include "core/coefficients.hpp"
#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// Computes both. Largest error 1.8 ulp; |x| ≤ π/4.
template <class L>
FANIN_FN void sine_cosine(typename L::F64 x, typename L::F64& sine, typename L::F64& cosine) {
  const auto z = x * x;
  sine = L::fma(x * z, table::sin_f64<L>(z), x);
  cosine = table::cos_f64<L>(z);
}

// Computes sin 2π(position·(high + low) + quarter/4). The frequency, in turns, is an unevaluated sum. Largest
// error 2.3 ulp, for positions up to 2^20 and frequencies of 1 to 10⁻⁴ radians; |position·high| < 2^51.
template <class L>
FANIN_FN typename L::F64 sinusoid(typename L::F64 position, typename L::F64 high, typename L::F64 low,
                                  typename L::U64 quarter) {
  using F64 = typename L::F64;
  constexpr double kShifter = 0x1.8p52;  // adding and subtracting it rounds to an integer
  const F64 turns = position * high, error = L::fma(position, high, -turns);
  const F64 phase = turns - ((turns + kShifter) - kShifter), rest = error + position * low;

  const F64 shifted = (phase + rest) * 4.0 + kShifter;  // its lowest bits are the nearest quarter
  const F64 offset = (phase - (shifted - kShifter) * 0.25) + rest;
  F64 sine, cosine;
  sine_cosine<L>(offset * 0x1.921fb54442d18p+2, sine, cosine);
  const auto turn = L::template as<typename L::U64>(shifted) + quarter;
  return L::flip_sign(L::select(L::test(turn, uint64_t(1)), cosine, sine), turn << 62);
}

}  // namespace fanin::FANIN_ISA
