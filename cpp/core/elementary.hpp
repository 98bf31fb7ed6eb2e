// Computes exp, log, expm1 and log1p in float64 for every argument, as operations of expressions. docs/stream-v1.md
// states the same largest errors. Where exponential and minus_two_log have a value, exp_any and log_any have its bits.
#pragma once

#include "core/exp.hpp"

namespace fanin::FANIN_ISA {

constexpr double kInfinity = __builtin_inf(), kNan = __builtin_nan("");

// Computes eʸ. Largest error 0.83 ulp; any y. A NaN stays one.
template <class L>
FANIN_FN typename L::F64 exp_any(typename L::F64 y) {
  using F64 = typename L::F64;
  constexpr double kShifter = 0x1.8p52;
  const auto power_of_two = [](F64 shifted) {  // takes an integer that was added to kShifter
    return L::template as<F64>((L::template as<typename L::U64>(shifted) + 1023ull) << 52);
  };
  y = L::select(y < -746.0, L::splat(-746.0), y);  // here the result is 0, and from 710 on it is infinite
  y = L::select(y > 710.0, L::splat(710.0), y);
  const F64 k = (y * 0x1.71547652b82fep+0 + kShifter) - kShifter;
  const F64 rest = Power64<L>(y).rest;
  // 2ᵏ is two factors, each of which is a normal number, so that only the second product rounds.
  const F64 half = k * 0.5 + kShifter;
  return table::exp_f64<L>(rest) * power_of_two(half) * power_of_two(k - (half - kShifter) + kShifter);
}

// Computes eʸ − 1, also where it is next to 0. Largest error 2.4 ulp; any y; a zero keeps its sign.
template <class L>
FANIN_FN typename L::F64 expm1_any(typename L::F64 y) {
  using F64 = typename L::F64;
  F64 inside = L::select(y < -100.0, L::splat(-100.0), y);  // below -100 it is −1
  inside = L::select(inside > 40.0, L::splat(40.0), inside);
  F64 result = -one_minus_exponential<L>(inside);
  result = L::select(y == 0.0, y, result);
  const auto large = y > 40.0;  // there 1 is less than half an ulp
  return L::any(large) ? L::select(large, exp_any<L>(y), result) : result;
}

// Computes ln(high + low), where |low| is at most half an ulp of `high`; −∞ of 0, a NaN of numbers below.
template <class L>
FANIN_FN typename L::F64 log_of_sum(typename L::F64 high, typename L::F64 low) {
  // Subnormal numbers have no exponent of their own, and the factors that would bring the largest near 1 are subnormal.
  const auto small = high<0x1p-1022, large = high> 0x1p1000;
  const auto towards_1 = L::select(small, L::splat(0x1p54), L::select(large, L::splat(0x1p-54), L::splat(1.0)));
  const auto shift = L::select(small, L::splat(-54.0), L::select(large, L::splat(54.0), L::splat(0.0)));
  const auto scaled = high * towards_1;
  const Split64<L> split(scaled);
  const auto t = (scaled * split.scale - 1.0) + (low * towards_1) * split.scale;
  const auto result = L::fma(t, table::log_f64<L>(t), (split.exponent + shift) * kMinusTwoLn2) * -0.5;
  const auto limit = L::select(high == 0.0, L::splat(-kInfinity), L::splat(kNan));
  return L::select(high > 0.0, L::select(high < kInfinity, result, high), limit);
}

// Computes ln x. Largest error 1.5 ulp; any x. −∞ of 0; a NaN of numbers below.
template <class L>
FANIN_FN typename L::F64 log_any(typename L::F64 x) {
  return log_of_sum<L>(x, L::splat(0.0));
}

// Computes ln(1 + x), also where it is next to 0. Largest error 1.5 ulp; any x; a zero keeps its sign.
template <class L>
FANIN_FN typename L::F64 log1p_any(typename L::F64 x) {
  const auto sum = x + 1.0, back = sum - 1.0;
  const auto error = (1.0 - (sum - back)) + (x - back);  // exactly 1 + x − sum (Knuth)
  return L::select(x == 0.0, x, log_of_sum<L>(sum, error));
}

}  // namespace fanin::FANIN_ISA
