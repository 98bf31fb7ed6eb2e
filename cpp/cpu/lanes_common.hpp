// Defines what all instruction sets share, by the compilers' vector extensions over one register width. A lane of 64
// bits holds one Philox word, so that a 32×32→64 multiplication is one instruction; narrow() packs two such registers
// into one.
#pragma once

#include <cstring>

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

#if defined(__AVX512F__)
constexpr int kRegister = 64;
#elif defined(__AVX2__)
constexpr int kRegister = 32;
#else
constexpr int kRegister = 16;
#endif

struct VectorLanes {
  static constexpr int kLanes64 = kRegister / 8, kLanes32 = kRegister / 4;
  typedef uint32_t U32 __attribute__((vector_size(kRegister)));
  typedef int32_t I32 __attribute__((vector_size(kRegister)));
  typedef float F32 __attribute__((vector_size(kRegister)));
  typedef uint64_t U64 __attribute__((vector_size(kRegister)));
  typedef int64_t I64 __attribute__((vector_size(kRegister)));
  typedef double F64 __attribute__((vector_size(kRegister)));
  typedef float F32Half __attribute__((vector_size(kRegister / 2)));
  using Word = U64;  // the upper half of a lane is ignored

  template <class To, class From>
  static FANIN_FN To as(From x) {
    static_assert(sizeof(To) == sizeof(From), "a cast of bits keeps the size");
    return (To)x;
  }
  static FANIN_FN F32 splat(float x) { return x - F32{}; }
  static FANIN_FN F64 splat(double x) { return x - F64{}; }
  static FANIN_FN U32 splat(uint32_t x) { return x + U32{}; }
  static FANIN_FN U64 splat(uint64_t x) { return x + U64{}; }
  static FANIN_FN Word splat_word(uint32_t x) { return uint64_t(x) + U64{}; }
  static FANIN_FN U64 iota() {
    U64 v;
    for (int i = 0; i < kLanes64; ++i)
      v[i] = uint64_t(i);
    return v;
  }
  static FANIN_FN U64 join(Word low, Word high) { return (low & 0xffffffffull) | (high << 32); }

  static FANIN_FN Word high(U64 product) { return product >> 32; }
  static FANIN_FN Word low(U64 product) { return product; }
  static FANIN_FN Word xor3(Word a, Word b, Word c) { return a ^ b ^ c; }
  static FANIN_FN F32 to_float(I32 x) { return __builtin_convertvector(x, F32); }
#if defined(__AVX512F__) || defined(__aarch64__)
  static FANIN_FN F32 to_float(U32 x) { return __builtin_convertvector(x, F32); }
#else
  static FANIN_FN F32 to_float(U32 x) { return to_float((I32)(x >> 16)) * 0x1p16f + to_float((I32)(x & 0xffffu)); }
#endif

  static FANIN_FN I32 test(U32 w, uint32_t bit) { return (w & bit) != 0; }
  static FANIN_FN I64 test(U64 w, uint64_t bit) { return (w & bit) != 0; }
  template <class M, class V>
  static FANIN_FN V select(M mask, V yes, V no) {
    return mask ? yes : no;
  }
  static FANIN_FN F32 flip_sign(F32 x, U32 w) { return (F32)((U32)x ^ (w & 0x80000000u)); }
  static FANIN_FN F64 flip_sign(F64 x, U64 w) { return (F64)((U64)x ^ (w & 0x8000000000000000ull)); }

  template <class V>
  static FANIN_FN V load(const void* p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
  }
  template <class V>
  static FANIN_FN void store(void* p, V v) {
    memcpy(p, &v, sizeof v);
  }
};

}  // namespace fanin::FANIN_ISA
