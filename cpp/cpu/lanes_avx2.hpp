// Defines the lanes of AVX2 with FMA and F16C: eight of float32.
#pragma once

#include <immintrin.h>

#include "cpu/lanes_common.hpp"

namespace fanin::FANIN_ISA {

struct Lanes : VectorLanes {
  static constexpr int kInFlight = 4;

  static FANIN_FN U64 multiply(Word a, uint32_t m) { return (U64)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(m)); }
  static FANIN_FN U32 narrow(Word a, Word b) {
    const __m256 mixed = _mm256_shuffle_ps((__m256)a, (__m256)b, _MM_SHUFFLE(2, 0, 2, 0));  // interleaved halves
    return (U32)_mm256_permute4x64_epi64((__m256i)mixed, _MM_SHUFFLE(3, 1, 2, 0));
  }
  static FANIN_FN F32 narrow(F64 a, F64 b) {
    return (F32)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)b), _mm256_cvtpd_ps((__m256d)a));
  }

  static FANIN_FN void widen(F32 x, F64& low, F64& high) {
    low = (F64)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x));
    high = (F64)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1));
  }

  static FANIN_FN F32 fma(F32 a, F32 b, F32 c) { return (F32)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
  static FANIN_FN F64 fma(F64 a, F64 b, F64 c) { return (F64)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c); }
  static FANIN_FN F32 sqrt(F32 x) { return (F32)_mm256_sqrt_ps((__m256)x); }
  static FANIN_FN F64 sqrt(F64 x) { return (F64)_mm256_sqrt_pd((__m256d)x); }
  static FANIN_FN uint32_t below(U32 a, U32 b) { return uint32_t(_mm256_movemask_ps((__m256)(a < b))); }
  template <class M>
  static FANIN_FN bool any(M mask) {
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
  }

  static FANIN_FN U32 load_upper_halves(const void* p) {
    return (U32)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p)), 16);
  }
  static FANIN_FN F32 load_float16(const void* p) { return (F32)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }
  static FANIN_FN void store_upper_halves(uint16_t* p, U32 w) {
    const __m256i v = (__m256i)(w >> 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(v, v), _MM_SHUFFLE(3, 1, 2, 0));
    _mm_storeu_si128((__m128i*)p, _mm256_castsi256_si128(packed));
  }
  static FANIN_FN void store_float16(uint16_t* p, F32 x) {
    _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT));
  }
};

}  // namespace fanin::FANIN_ISA
