// Makes uniform numbers, which are odd multiples of 2^-24 (2^-53): exact, symmetric about 1/2, never 0 or 1.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// Computes (2 (w >> 9) + 1)·2^-24: 23 random bits follow the leading 1 of a number in [1, 2), and a subtraction is
// exact. No error; every word, giving 2^-24 to 1 - 2^-24.
template <class L>
FANIN_FN typename L::F32 unit_f32(typename L::U32 w) {
  return L::template as<typename L::F32>((w >> 9) | 0x3f800000u) - 0x1.fffffep-1f;
}

// Computes (2 (w >> 12) + 1)·2^-53. No error; every word, giving 2^-53 to 1 - 2^-53.
template <class L>
FANIN_FN typename L::F64 unit_f64(typename L::U64 w) {
  return L::template as<typename L::F64>((w >> 12) | 0x3ff0000000000000ull) - 0x1.fffffffffffffp-1;
}

}  // namespace fanin::FANIN_ISA
