// -2 ln x from the exponent of x and a polynomial on [√½, √2): the form Box–Muller and the normal quantile both want.
#pragma once

#include "core/coefficients.hpp"
#include "core/target.hpp"

namespace fanin::FANIN_ISA {

constexpr float kMinusTwoLn2At23 = -0x1.62e43p-23f;  // times the exponent in units of 2^23
constexpr double kMinusTwoLn2 = -0x1.62e42fefa39efp+0;

// x = mantissa·2^exponent with the mantissa in [√½, √2), for normal x > 0: the exponent and the factor 2^-exponent.
template <class L>
struct Split64 {
  typename L::F64 exponent, scale;

  FANIN_FN explicit Split64(typename L::F64 x) {
    using U64 = typename L::U64;
    // The pattern's distance from √½, biased so that its upper bits are exponent + 1023.
    const U64 biased = L::template as<U64>(x) - (0x3fe6a09e667f3bcdull - 0x3ff0000000000000ull);
    exponent = L::template as<typename L::F64>((biased >> 52) | 0x4330000000000000ull) - 0x1.00000000003ffp+52;
    scale = L::template as<typename L::F64>(0x7fe0000000000000ull - (biased & 0x7ff0000000000000ull));
  }
};

struct ShortLog {
  template <class L, class V>
  static FANIN_FN V table(V t) {
    return table::log_short<L>(t);
  }
};
struct FullLog {
  template <class L, class V>
  static FANIN_FN V table(V t) {
    return table::log_f64<L>(t);
  }
};

template <class L, class Log>
FANIN_FN typename L::F64 minus_two_log(typename L::F64 x) {
  const Split64<L> split(x);
  const auto t = x * split.scale - 1.0;
  return L::fma(t, Log::template table<L>(t), split.exponent * kMinusTwoLn2);
}

}  // namespace fanin::FANIN_ISA
