// Rounds float32 to bfloat16 and float16 by integer operations, to nearest even, with subnormals, alike on every
// processor.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

// Rounds x, finite, infinite or the quiet NaN without payload; the 16 bits of the result are the upper half of the word.
template <class L>
FANIN_FN typename L::U32 round_to_bfloat16(typename L::F32 x) {
  const auto bits = L::template as<typename L::U32>(x);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}

FANIN_FN uint16_t round_to_float16(uint32_t bits) {
  const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return uint16_t(sign | 0x7e00u);  // a NaN
  if (magnitude < 0x33000000u) return uint16_t(sign);            // below half the least subnormal, 2^-25
  // Below 2^-14 values are subnormal: more bits are dropped, and the exponent field is 0.
  const uint32_t exponent = magnitude >> 23;
  const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  const uint32_t drop = exponent < 113 ? 126 - exponent : 13;
  const uint32_t field = exponent < 113 ? 0 : (exponent - 113) << 10;
  const uint32_t kept = mantissa >> drop, rest = mantissa & ((1u << drop) - 1), half = 1u << (drop - 1);
  const uint32_t rounded = kept + (rest > half || (rest == half && (kept & 1)));
  const uint32_t result = field + rounded;  // the leading bit of a normal number adds one to the exponent field
  return uint16_t(sign | (result > 0x7c00u ? 0x7c00u : result));
}

}  // namespace fanin::FANIN_ISA
