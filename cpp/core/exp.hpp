// Computes exponentials in float64, and the inverse of softplus. docs/stream-v1.md states the same largest errors.
#pragma once

#include "core/log.hpp"

namespace fanin::FANIN_ISA {

// Splits y into k·ln 2 + rest with |rest| ≤ ½ ln 2; scale is 2^k.
template <class L>
struct Power64 {
  typename L::F64 rest, scale;

  FANIN_FN explicit Power64(typename L::F64 y) {
    // Adding 1.5·2^52 rounds to an integer, which then fills the lowest bits.
    const auto shifted = y * 0x1.71547652b82fep+0 + 0x1.8p52;
    const auto k = shifted - 0x1.8p52;
    rest = L::fma(-k, L::splat(0x1.ef35793c7673p-45), L::fma(-k, L::splat(0x1.62e42fefa38p-1), y));
    scale = L::template as<typename L::F64>((L::template as<typename L::U64>(shifted) + 1023ull) << 52);
  }
};

// Computes eʸ. Largest error 0.83 ulp; |y| ≤ 708.
template <class L>
FANIN_FN typename L::F64 exponential(typename L::F64 y) {
  const Power64<L> power(y);
  return table::exp_f64<L>(power.rest) * power.scale;
}

// Computes 1 - eʸ, also where it is next to 0. Largest error 1.17 ulp; any y ≤ 0.
template <class L>
FANIN_FN typename L::F64 one_minus_exponential(typename L::F64 y) {
  const Power64<L> power(L::select(y < -100.0, L::splat(-100.0), y));  // below -100 it is 1
  return L::fma(-power.scale, power.rest * table::exp_f64_from_1<L>(power.rest), 1.0 - power.scale);
}

// Computes the x with ln(1 + eˣ) = y, which is y + ln(1 - e⁻ʸ).
// Largest error 2.61 ulp, of 1 where |x| is smaller; y > 0.
template <class L>
FANIN_FN typename L::F64 inverse_softplus(typename L::F64 y) {
  return y - minus_two_log<L>(one_minus_exponential<L>(-y)) * 0.5;
}

}  // namespace fanin::FANIN_ISA
