// exp, log, expm1 and log1p in float64 for every argument: what the operations of expressions are. Largest errors are those that
// docs/stream-v1.md states. Where they have a value, exp_any and log_any are the bits of `exponential` and of minus_two_log · −½.
#pragma once

#include "core/exp.hpp"

namespace fanin::FANIN_ISA {

constexpr double kInfinity = __builtin_inf(), kNan = __builtin_nan("");

// eʸ. Largest error 0.83 ulp, of the least normal number where it is smaller; any y. A NaN stays one.
template <class L>
FANIN_FN typename L::F64 exp_any(typename L::F64 y) {
  using F64 = typename L::F64;
  constexpr double kShifter = 0x1.8p52;
  const auto power_of_two = [](F64 shifted) {  // of an integer that was added to kShifter
    return L::template as<F64>((L::template as<typename L::U64>(shifted) + 1023ull) << 52);
  };
  y = L::select(y < -746.0, L::splat(-746.0), y);  // which is 0, and 710 is infinite
  y = L::select(y > 710.0, L::splat(710.0), y);
  const F64 k = (y * 0x1.71547652b82fep+0 + kShifter) - kShifter;
  const F64 rest = Power64<L>(y).rest;
  // 2ᵏ in two factors, each of which is a normal number; the second product rounds, once.
  const F64 half = k * 0.5 + kShifter;
  return table::exp_f64<L>(rest) * power_of_two(half) * power_of_two(k - (half - kShifter) + kShifter);
}

// eʸ − 1, also where it is next to 0. Any y; a zero keeps its sign.
template <class L>
FANIN_FN typename L::F64 expm1_any(typename L::F64 y) {
  using F64 = typename L::F64;
  F64 inside = L::select(y < -100.0, L::splat(-100.0), y);  // below, it is −1
  inside = L::select(inside > 40.0, L::splat(40.0), inside);
  F64 result = -one_minus_exponential<L>(inside);
  result = L::select(y == 0.0, y, result);
  const auto large = y > 40.0;  // where 1 is less than half an ulp
  return L::any(large) ? L::select(large, exp_any<L>(y), result) : result;
}

// The logarithm of `x`, from what stands for it; zero, infinity, and what has no logarithm.
template <class L>
FANIN_FN typename L::F64 log_or_limit(typename L::F64 x, typename L::F64 logarithm) {
  const auto limit = L::select(x == 0.0, L::splat(-kInfinity), L::splat(kNan));
  return L::select(x > 0.0, L::select(x < kInfinity, logarithm, x), limit);
}

// ln x. Largest error 1.44 ulp; any x. −∞ of 0; a NaN of numbers below.
template <class L>
FANIN_FN typename L::F64 log_any(typename L::F64 x) {
  const auto subnormal = x < 0x1p-1022;
  const auto scaled = L::select(subnormal, x * 0x1p54, x);
  const Split64<L> split(scaled);
  const auto t = scaled * split.scale - 1.0;
  const auto exponent = L::select(subnormal, split.exponent - 54.0, split.exponent);
  return log_or_limit<L>(x, L::fma(t, table::log_f64<L>(t), exponent * kMinusTwoLn2) * -0.5);
}

// ln(1 + x), also where it is next to 0. Any x; a zero keeps its sign.
template <class L>
FANIN_FN typename L::F64 log1p_any(typename L::F64 x) {
  const auto sum = x + 1.0, back = sum - 1.0;
  const auto error = (1.0 - (sum - back)) + (x - back);  // exactly 1 + x − sum (Knuth)
  const Split64<L> split(sum);
  const auto t = (sum * split.scale - 1.0) + error * split.scale;
  const auto logarithm = L::fma(t, table::log_f64<L>(t), split.exponent * kMinusTwoLn2) * -0.5;
  return L::select(x == 0.0, x, log_or_limit<L>(sum, logarithm));
}

}  // namespace fanin::FANIN_ISA
