// Defines the operations for a single lane, on plain numbers: for parameters on the host and for a CUDA thread.
#pragma once

#include <cstring>

#include "core/soft_fma.hpp"
#include "core/target.hpp"

namespace fanin::FANIN_ISA {

struct Scalar {
  using U32 = uint32_t;
  using I32 = int32_t;
  using F32 = float;
  using U64 = uint64_t;
  using F64 = double;
  using Word = uint32_t;

  template <class To, class From>
  static FANIN_FN To as(From x) {
    static_assert(sizeof(To) == sizeof(From), "a cast of bits keeps the size");
    To y;
    memcpy(&y, &x, sizeof y);
    return y;
  }
  template <class T>
  static FANIN_FN T splat(T x) {
    return x;
  }
  static FANIN_FN Word splat_word(uint32_t x) { return x; }
  static FANIN_FN uint64_t multiply(Word a, uint32_t m) { return uint64_t(a) * m; }
  static FANIN_FN Word high(uint64_t p) { return uint32_t(p >> 32); }
  static FANIN_FN Word low(uint64_t p) { return uint32_t(p); }
  static FANIN_FN Word xor3(Word a, Word b, Word c) { return a ^ b ^ c; }
  static FANIN_FN U64 join(Word low, Word high) { return U64(high) << 32 | low; }

  static FANIN_FN F32 to_float(I32 x) { return float(x); }
  static FANIN_FN F32 to_float(U32 x) { return float(x); }
  static FANIN_FN bool any(bool x) { return x; }
  static FANIN_FN bool test(uint64_t w, uint64_t bit) { return (w & bit) != 0; }
  template <class T>
  static FANIN_FN T select(bool condition, T yes, T no) {
    return condition ? yes : no;
  }
  static FANIN_FN float flip_sign(float x, uint32_t w) { return as<float>(as<uint32_t>(x) ^ (w & 0x80000000u)); }
  static FANIN_FN double flip_sign(double x, uint64_t w) {
    return as<double>(as<uint64_t>(x) ^ (w & 0x8000000000000000ull));
  }
#if defined(__CUDA_ARCH__)
  static FANIN_FN float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
  static FANIN_FN double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
  static FANIN_FN float sqrt(float x) { return __fsqrt_rn(x); }
  static FANIN_FN double sqrt(double x) { return __dsqrt_rn(x); }
#else
#if defined(__FMA__) || defined(__aarch64__)
  static FANIN_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static FANIN_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
  static FANIN_FN float fma(float a, float b, float c) { return soft_fma(a, b, c); }
  static FANIN_FN double fma(double a, double b, double c) { return soft_fma(a, b, c); }
#endif
  // With -fno-math-errno this is one instruction, not a call.
  static FANIN_FN float sqrt(float x) { return __builtin_sqrtf(x); }
  static FANIN_FN double sqrt(double x) { return __builtin_sqrt(x); }
#endif
};

}  // namespace fanin::FANIN_ISA
