// Makes two normals of two words: Box and Muller, "A note on the generation of random normal deviates", 1958.
#pragma once

#include "core/log.hpp"
#include "core/sinusoid.hpp"
#include "core/uniform.hpp"

namespace fanin::FANIN_ISA {

// Computes √(-2 ln u) with u = (w + 1/2)·2^-32, carried as (hi + lo)·2^-24, so that u·2^-exponent - 1 rounds once, also
// near u = 1. Largest error 1.79 ulp; every word, giving 2^-16 to 6.7638.
template <class L>
FANIN_FN typename L::F32 radius_f32(typename L::U32 w) {
  using F32 = typename L::F32;
  using I32 = typename L::I32;
  const F32 hi = L::to_float(L::template as<I32>(w >> 8));
  const F32 lo = L::fma(L::to_float(L::template as<I32>(w & 255u)), L::splat(0x1p-8f), L::splat(0x1p-9f));
  const Split32<L, 24> split(hi + lo);
  const F32 t = L::fma(lo, split.scale, L::fma(hi, split.scale, L::splat(-1.0f)));
  return L::sqrt(L::fma(t, table::log_f32<L>(t), split.exponent * kMinusTwoLn2At23));
}

// Computes (cos, sin) of a uniform angle: 30 bits give an angle within ±π/4, bit 30 reflects it in the diagonal, bit 31
// turns it by π. Largest error 2.77 ulp; every word. The turn is left to the caller.
template <class L>
FANIN_FN void direction_f32(typename L::U32 w, typename L::F32& c, typename L::F32& s) {
  using F32 = typename L::F32;
  const F32 offset = L::to_float(L::template as<typename L::I32>(w << 2));
  const F32 x = L::fma(offset, L::splat(0x1.921fb6p-32f), L::splat(0x1.921fb6p-31f));
  const F32 z = x * x;
  const F32 sine = L::fma(x * z, table::sin_f32<L>(z), x);
  const F32 cosine = table::cos_f32<L>(z);
  const auto reflect = L::test(w, 0x40000000u);
  c = L::select(reflect, sine, cosine);
  s = L::select(reflect, cosine, sine);
}

// Largest error 4.7 ulp; any two words, giving |z| ≤ 6.77.
template <class L>
FANIN_FN void normal_f32(typename L::U32 radius_word, typename L::U32 angle_word, typename L::F32& z0,
                         typename L::F32& z1) {
  typename L::F32 c, s;
  direction_f32<L>(angle_word, c, s);
  const auto r = L::flip_sign(radius_f32<L>(radius_word), angle_word);  // a turn by π changes the sign
  z0 = r * c;
  z1 = r * s;
}

// Largest error 3.6 ulp; any two words, giving |z| ≤ 8.58.
template <class L>
FANIN_FN void normal_f64(typename L::U64 radius_word, typename L::U64 angle_word, typename L::F64& z0,
                         typename L::F64& z1) {
  using F64 = typename L::F64;
  const F64 u = unit_f64<L>(radius_word);
  const Split64<L> split(u);
  const F64 t = L::fma(u, split.scale, L::splat(-1.0));
  const F64 r = L::sqrt(L::fma(t, table::log_f64<L>(t), split.exponent * kMinusTwoLn2));

  // Bits 61…10 are a signed number; plus 1/2 it is the angle in units of 2^-52·π/2. Bits 62 and 63 act as 30 and 31
  // do above.
  const F64 offset = L::template as<F64>(((angle_word << 2) >> 12) ^ 0x3ff8000000000000ull) - 1.5;
  const F64 x = L::fma(offset, L::splat(0x1.921fb54442d18p+0), L::splat(0x1.921fb54442d18p-53));
  F64 sine, cosine;
  sine_cosine<L>(x, sine, cosine);
  const auto reflect = L::test(angle_word, 0x4000000000000000ull);
  const F64 signed_r = L::flip_sign(r, angle_word);
  z0 = signed_r * L::select(reflect, sine, cosine);
  z1 = signed_r * L::select(reflect, cosine, sine);
}

}  // namespace fanin::FANIN_ISA
