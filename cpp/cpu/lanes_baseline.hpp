// Defines the lanes of SSE2, which every x86-64 processor has: four of float32. It has no fma; the emulation is
// correctly rounded and slow.
#pragma once

#include <emmintrin.h>

#include "core/rounding.hpp"
#include "core/soft_fma.hpp"
#include "cpu/lanes_common.hpp"

namespace fanin::FANIN_ISA {

struct Lanes : VectorLanes {
  static constexpr int kInFlight = 2;

  static FANIN_FN U64 multiply(Word a, uint32_t m) { return (U64)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(m)); }
  static FANIN_FN U32 narrow(Word a, Word b) {
    return (U32)_mm_shuffle_ps((__m128)a, (__m128)b, _MM_SHUFFLE(2, 0, 2, 0));
  }
  static FANIN_FN F32 narrow(F64 a, F64 b) {
    return (F32)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)a), _mm_cvtpd_ps((__m128d)b));
  }

  static FANIN_FN void widen(F32 x, F64& low, F64& high) {
    low = (F64)_mm_cvtps_pd((__m128)x);
    high = (F64)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x));
  }

  static FANIN_FN F32 sqrt(F32 x) { return (F32)_mm_sqrt_ps((__m128)x); }
  static FANIN_FN F64 sqrt(F64 x) { return (F64)_mm_sqrt_pd((__m128d)x); }
  static FANIN_FN uint32_t below(U32 a, U32 b) { return uint32_t(_mm_movemask_ps((__m128)(a < b))); }
  template <class M>
  static FANIN_FN bool any(M mask) {
    return _mm_movemask_epi8((__m128i)mask) != 0;
  }

  // Returns s and error, whose sum is exactly a + b (Knuth).
  static FANIN_FN F64 two_sum(F64 a, F64 b, F64& error) {
    const F64 s = a + b, back = s - a;
    error = (a - (s - back)) + (b - back);
    return s;
  }
  // Returns RN(a + b), moved to the odd neighbour if it is inexact and even: a later rounding to fewer bits is then
  // right.
  static FANIN_FN F64 add_to_odd(F64 a, F64 b) {
    F64 error;
    const F64 s = two_sum(a, b, error);
    const I64 zero{}, toward = ((error > 0.0) == (s > 0.0)) ? zero + 1 : zero - 1;
    const I64 adjust = (error != 0.0) & ((((I64)s) & 1) == 0);
    return (F64)((I64)s + (toward & adjust));
  }
  static FANIN_FN __m128 fma_half(__m128 a, __m128 b, __m128 c) {
    const F64 p = (F64)_mm_cvtps_pd(a) * (F64)_mm_cvtps_pd(b);  // exact
    return _mm_cvtpd_ps((__m128d)add_to_odd(p, (F64)_mm_cvtps_pd(c)));
  }
  // It is not inlined, since a polynomial would then take a page of code for every coefficient.
  static __attribute__((noinline)) F32 fma(F32 a, F32 b, F32 c) {
    const __m128 x = (__m128)a, y = (__m128)b, z = (__m128)c;
    const __m128 low = fma_half(x, y, z);
    return (F32)_mm_movelh_ps(low, fma_half(_mm_movehl_ps(x, x), _mm_movehl_ps(y, y), _mm_movehl_ps(z, z)));
  }

  // Boldo and Melquiond 2008, with Dekker's product; where something could over- or underflow, it goes lane by lane.
  static __attribute__((noinline)) F64 fma(F64 a, F64 b, F64 c) {
    const auto moderate = [](F64 x) {
      const U64 magnitude = (U64)x << 1;
      return (magnitude > (uint64_t(1023 - 250) << 53)) & (magnitude < (uint64_t(1023 + 250) << 53));
    };
    if (any(~(moderate(a) & moderate(b) & (moderate(c) | (c == 0.0)))))
      return F64{soft_fma(a[0], b[0], c[0]), soft_fma(a[1], b[1], c[1])};
    const auto split = [](F64 x, F64& low) {
      const F64 t = x * 134217729.0, high = t - (t - x);
      low = x - high;
      return high;
    };
    F64 al, bl;
    const F64 ah = split(a, al), bh = split(b, bl), p = a * b;
    const F64 e = al * bl - (((p - ah * bh) - al * bh) - ah * bl);
    F64 tail, rest;
    const F64 t = two_sum(c, e, tail), v = two_sum(p, t, rest);
    return v + add_to_odd(rest, tail);
  }

  static FANIN_FN U32 load_upper_halves(const void* p) {
    return (U32)_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64((const __m128i*)p));
  }
  static FANIN_FN F32 load_float16(const void* p) {
    const U32 w = load_upper_halves(p), magnitude = w << 1 >> 1;
    // The exponent's bias differs by 112, which also serves subnormals; infinities and NaNs keep the highest exponent.
    const F32 x = (F32)((w & 0x80000000u) | magnitude >> 3) * 0x1p112f;
    return (F32)((U32)x | ((U32)(magnitude >= 0x7c000000u) & 0x7f800000u));
  }
  static FANIN_FN void store_upper_halves(uint16_t* p, U32 w) {
    for (int i = 0; i < kLanes32; ++i)
      p[i] = uint16_t(w[i] >> 16);
  }
  static FANIN_FN void store_float16(uint16_t* p, F32 x) {
    const U32 bits = (U32)x;
    for (int i = 0; i < kLanes32; ++i)
      p[i] = round_to_float16(bits[i]);
  }
};

}  // namespace fanin::FANIN_ISA
