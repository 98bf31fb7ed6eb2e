// Emulates fused multiply-add for processors without the instruction: correctly rounded to nearest even, and slow. It
// is not inlined, since a polynomial would then take a page of code for every coefficient.
#pragma once

#include <cstring>

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

#if !defined(__FMA__) && !defined(__aarch64__)

// In float32 the product is exact in float64; the sum is rounded to odd there, so that the second rounding is right
// (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE Trans. Computers 57, 2008).
inline __attribute__((noinline)) float soft_fma(float a, float b, float c) {
  const double p = double(a) * double(b), d = c, s = p + d;
  const double back = s - p, error = (p - (s - back)) + (d - back);
  uint64_t bits;
  memcpy(&bits, &s, 8);
  if (error != 0 && (bits & 1) == 0) bits += ((error > 0) == (s > 0)) ? 1 : -1;
  double odd;
  memcpy(&odd, &bits, 8);
  return float(odd);
}

// In float64 product and sum are exact in 128-bit integers, and rounded once.
inline __attribute__((noinline)) double soft_fma(double a, double b, double c) {
  struct Parts {
    bool negative;
    int exponent;  // value = ±mantissa·2^exponent
    uint64_t mantissa, bits;
    explicit Parts(double x) {
      memcpy(&bits, &x, 8);
      negative = bits >> 63;
      const int biased = int(bits >> 52 & 0x7ff);
      mantissa = (bits & 0xfffffffffffffull) | (biased ? 1ull << 52 : 0);
      exponent = (biased ? biased : 1) - 1075;
    }
    bool finite() const { return (bits >> 52 & 0x7ff) != 0x7ff; }
  };
  const Parts x(a), y(b), z(c);
  if (z.mantissa == 0 && x.mantissa != 0 && y.mantissa != 0) return a * b;  // this keeps the sign of an underflow
  if (!x.finite() || !y.finite() || !z.finite() || x.mantissa == 0 || y.mantissa == 0 || z.mantissa == 0)
    return a * b + c;

  using u128 = unsigned __int128;
  const auto width = [](u128 v) {
    const auto top = uint64_t(v >> 64);
    return top ? 128 - __builtin_clzll(top) : 64 - __builtin_clzll(uint64_t(v));
  };
  // Both terms get their leading bit at bit 125; at least 20 zero bits lie below the product.
  u128 p = u128(x.mantissa) * y.mantissa, q = z.mantissa;
  int ep = x.exponent + y.exponent - (126 - width(p)), eq = z.exponent - (126 - width(q));
  p <<= 126 - width(p);
  q <<= 126 - width(q);
  bool p_negative = x.negative != y.negative, q_negative = z.negative;
  if (ep < eq || (ep == eq && p < q)) {
    const u128 m = p;
    p = q, q = m;
    const int e = ep;
    ep = eq, eq = e;
    const bool n = p_negative;
    p_negative = q_negative, q_negative = n;
  }
  const int shift = ep - eq;
  const u128 shifted = shift > 127 ? 0 : q >> shift;
  const bool lost = shift > 127 || shifted << shift != q;
  q = shifted | u128(lost);  // bits are lost only if the terms cannot cancel: the sticky bit then suffices
  u128 sum = p_negative == q_negative ? p + q : p - q;
  if (sum == 0) return 0.0;

  // Round to 53 bits, or to fewer if the result is subnormal.
  int drop = width(sum) - 53;
  if (ep + drop < -1074) drop = -1074 - ep;
  uint64_t mantissa;
  if (drop <= 0) {
    mantissa = uint64_t(sum) << -drop;
  } else if (drop > 127) {
    mantissa = 0;
  } else {
    mantissa = uint64_t(sum >> drop);
    const u128 rest = sum - (u128(mantissa) << drop), half = u128(1) << (drop - 1);
    if (rest > half || (rest == half && (mantissa & 1))) ++mantissa;
  }
  // A carry into bit 53 raises the exponent by itself, and a subnormal that rounds up becomes the least normal number.
  const int exponent = ep + drop + 1075;
  uint64_t bits = exponent > 2046 ? 0x7ff0000000000000ull : mantissa + (uint64_t(exponent - 1) << 52);
  bits |= uint64_t(p_negative) << 63;
  double result;
  memcpy(&result, &bits, 8);
  return result;
}

#endif

}  // namespace fanin::FANIN_ISA
