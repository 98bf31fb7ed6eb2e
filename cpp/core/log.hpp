// Computes -2 ln x from the exponent of x and a polynomial on [√½, √2); Box–Muller and the normal quantile both need it
// so.
#pragma once

#include "core/coefficients.hpp"
#include "core/target.hpp"

namespace fanin::FANIN_ISA {

constexpr float kMinusTwoLn2At23 = -0x1.62e43p-23f;  // is multiplied by an exponent in units of 2^23
constexpr double kMinusTwoLn2 = -0x1.62e42fefa39efp+0;

// Splits normal x > 0 into mantissa·2^exponent with the mantissa in [√½, √2): it returns the exponent and 2^-exponent.
template <class L>
struct Split64 {
  typename L::F64 exponent, scale;

  FANIN_FN explicit Split64(typename L::F64 x) {
    using U64 = typename L::U64;
    // This is the distance of the bit pattern from that of √½, biased such that its upper bits are exponent + 1023.
    const U64 biased = L::template as<U64>(x) - (0x3fe6a09e667f3bcdull - 0x3ff0000000000000ull);
    exponent = L::template as<typename L::F64>((biased >> 52) | 0x4330000000000000ull) - 0x1.00000000003ffp+52;
    scale = L::template as<typename L::F64>(0x7fe0000000000000ull - (biased & 0x7ff0000000000000ull));
  }
};

// Does the same in float32, for x in units of 2^-kUnits. The exponent is in units of 2^23, and the factor removes the
// units of x, too.
template <class L, uint32_t kUnits = 0>
struct Split32 {
  typename L::F32 exponent, scale;

  FANIN_FN explicit Split32(typename L::F32 x) {
    using U32 = typename L::U32;
    const U32 pattern = (L::template as<U32>(x) - (0x3f3504f3u + (kUnits << 23))) & 0xff800000u;
    exponent = L::to_float(L::template as<typename L::I32>(pattern));
    scale = L::template as<typename L::F32>(0x3f800000u - (kUnits << 23) - pattern);
  }
};

// Computes -2 ln x. Largest error 1.44 ulp; normal x > 0.
template <class L>
FANIN_FN typename L::F64 minus_two_log(typename L::F64 x) {
  const Split64<L> split(x);
  const auto t = x * split.scale - 1.0;
  return L::fma(t, table::log_f64<L>(t), split.exponent * kMinusTwoLn2);
}

}  // namespace fanin::FANIN_ISA
