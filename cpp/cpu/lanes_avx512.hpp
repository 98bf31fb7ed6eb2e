// Defines the lanes of AVX-512 F, BW, DQ and VL: sixteen of float32.
#pragma once

#include <immintrin.h>

#include "cpu/lanes_common.hpp"

namespace fanin::FANIN_ISA {

struct Lanes : VectorLanes {
  static constexpr int kInFlight = 4;  // registers of Philox blocks worked on at once
  using VectorLanes::select;
  using VectorLanes::test;

  static FANIN_FN U64 multiply(Word a, uint32_t m) { return (U64)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(m)); }
  static FANIN_FN Word xor3(Word a, Word b, Word c) {
    return (U64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
  }
  static FANIN_FN U32 narrow(Word a, Word b) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return (U32)_mm512_permutex2var_epi32((__m512i)a, even, (__m512i)b);
  }
  static FANIN_FN F32 narrow(F64 a, F64 b) {
    const __m512 low = _mm512_castps256_ps512(_mm512_cvtpd_ps((__m512d)a));
    return (F32)_mm512_insertf32x8(low, _mm512_cvtpd_ps((__m512d)b), 1);
  }

  static FANIN_FN void widen(F32 x, F64& low, F64& high) {
    low = (F64)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)x));
    high = (F64)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)x, 1));
  }

  static FANIN_FN F32 fma(F32 a, F32 b, F32 c) { return (F32)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
  static FANIN_FN F64 fma(F64 a, F64 b, F64 c) { return (F64)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c); }
  static FANIN_FN F32 sqrt(F32 x) { return (F32)_mm512_sqrt_ps((__m512)x); }
  static FANIN_FN F64 sqrt(F64 x) { return (F64)_mm512_sqrt_pd((__m512d)x); }

  static FANIN_FN __mmask16 test(U32 w, uint32_t bit) {
    return _mm512_test_epi32_mask((__m512i)w, _mm512_set1_epi32(int(bit)));
  }
  static FANIN_FN __mmask8 test(U64 w, uint64_t bit) {
    return _mm512_test_epi64_mask((__m512i)w, _mm512_set1_epi64((long long)bit));
  }
  static FANIN_FN F32 select(__mmask16 m, F32 yes, F32 no) {
    return (F32)_mm512_mask_blend_ps(m, (__m512)no, (__m512)yes);
  }
  static FANIN_FN F64 select(__mmask8 m, F64 yes, F64 no) {
    return (F64)_mm512_mask_blend_pd(m, (__m512d)no, (__m512d)yes);
  }
  // Returns one bit for each lane: whether a < b.
  static FANIN_FN uint32_t below(U32 a, U32 b) { return _mm512_cmplt_epu32_mask((__m512i)a, (__m512i)b); }
  template <class M>
  static FANIN_FN bool any(M mask) {
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
  }

  static FANIN_FN U32 load_upper_halves(const void* p) {
    return (U32)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16);
  }
  static FANIN_FN F32 load_float16(const void* p) {
    return (F32)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p));
  }
  static FANIN_FN void store_upper_halves(uint16_t* p, U32 w) {
    _mm256_storeu_si256((__m256i*)p, _mm512_cvtepi32_epi16((__m512i)(w >> 16)));
  }
  static FANIN_FN void store_float16(uint16_t* p, F32 x) {
    _mm256_storeu_si256((__m256i*)p, _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT));
  }
};

}  // namespace fanin::FANIN_ISA
