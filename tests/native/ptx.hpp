// What PTX's instructions do, for the C++ that tests/cuda/ptx.py makes of them. Registers are containers of bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#ifdef __F16C__
#include <immintrin.h>
#endif

namespace ptx {

using pred = bool;
using b16 = uint16_t;
using b32 = uint32_t;
using b64 = uint64_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;
using f32 = float;
using f64 = double;

// One thread of a kernel. The parameters lie one after another, as on a GPU: each where its alignment lets it.
using Kernel = void (*)(const unsigned char* params, size_t bytes, u32 ctaid, u32 ntid, u32 tid);

#define PTX_FN inline __attribute__((always_inline))

PTX_FN void require(bool holds, const char* otherwise) {
  if (!holds) throw std::logic_error(otherwise);
}

// A register, or a literal, read as a T; of a wider one, the lower bits.
template <class T, class Bits>
PTX_FN T as(Bits bits) {
  if constexpr (std::is_floating_point_v<T>) {
    static_assert(sizeof(T) == sizeof(Bits), "floating point has registers of its size");
    T value;
    memcpy(&value, &bits, sizeof value);
    return value;
  } else {
    return T(bits);
  }
}

// Into a register; into a wider one with the sign, if the type has one.
template <class Bits, class T>
PTX_FN void put(Bits& bits, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    static_assert(sizeof(T) == sizeof(Bits), "floating point has registers of its size");
    memcpy(&bits, &value, sizeof bits);
  } else {
    bits = Bits(value);
  }
}

// A GPU ends the program at an access that is not aligned.
PTX_FN unsigned char* memory(u64 address, size_t bytes) {
  require(address % bytes == 0, "an access is not aligned");
  return reinterpret_cast<unsigned char*>(address);
}

template <class T>
PTX_FN T load(const unsigned char* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
PTX_FN void store(unsigned char* at, T value) {
  memcpy(at, &value, sizeof value);
}

PTX_FN f32 fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
PTX_FN f64 fma(f64 a, f64 b, f64 c) { return __builtin_fma(a, b, c); }
PTX_FN f32 sqrt(f32 a) { return __builtin_sqrtf(a); }
PTX_FN f64 sqrt(f64 a) { return __builtin_sqrt(a); }

PTX_FN u16 half(f32 a) {
#ifdef __F16C__
  return u16(_cvtss_sh(a, 0));  // to nearest even
#else
  const __fp16 value = __fp16(a);
  u16 bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
#endif
}

// Shifts by more than there is.
template <class T>
PTX_FN T shift_left(T a, u32 n) {
  return n < 8 * sizeof(T) ? T(a << n) : T(0);
}
template <class T>
PTX_FN T shift_right(T a, u32 n) {
  return n < 8 * sizeof(T) ? T(a >> n) : T(0);
}

// `length` bits of a, put into b from bit `at` on.
template <class T>
PTX_FN T insert(T a, T b, u32 at, u32 length) {
  const T mask = T(shift_left(T(~shift_left(T(~T(0)), length & 0xff)), at & 0xff));
  return T((shift_left(a, at & 0xff) & mask) | (b & ~mask));
}

// Four bytes of b:a, chosen by the digits of c.
PTX_FN u32 permute(u32 a, u32 b, u32 c) {
  const u64 bytes = u64(b) << 32 | a;
  u32 result = 0;
  for (u32 i = 0; i < 4; ++i) {
    const u32 digit = c >> (4 * i) & 15, byte = u32(bytes >> (8 * (digit & 7))) & 0xff;
    result |= (digit & 8 ? (byte & 0x80 ? 0xffu : 0u) : byte) << (8 * i);
  }
  return result;
}

// The number of two where one is none; +0 is more than -0.
template <class Float>
PTX_FN Float maximum(Float a, Float b) {
  if (a != a || b != b) return a != a ? b : a;
  return a == b ? (__builtin_signbit(a) ? b : a) : a > b ? a : b;
}

}  // namespace ptx
