// The emulated fused multiply-add, one lane and many, against the C library's, which is the instruction where there is one.
// Compiled with the baseline's flags; on processors that always have the instruction nothing is emulated.
#include <cmath>

#include "check.hpp"
#include "random_words.hpp"

#if defined(__x86_64__) && !defined(__FMA__)
#include "cpu/lanes_baseline.hpp"
#endif

namespace check {

#if defined(__x86_64__) && !defined(__FMA__)
namespace {

using L = fanin::host::Lanes;

// A floating-point format, and numbers of it among which subnormals, ties and cancellation are common.
template <class T_, class Bits_, int kMantissa, int kExponent>
struct Format {
  using T = T_;
  using Bits = Bits_;
  RandomWords words{1};

  // Any pattern, a short mantissa, or one next to a power of two. `wide`: of any exponent, subnormals and zeros included;
  // otherwise near 1.
  T number(bool wide) {
    const Bits sign = Bits(words() & 1) << (kMantissa + kExponent), ones = (Bits(1) << kMantissa) - 1;
    Bits mantissa = Bits(words()) & ones;
    const uint64_t kind = words() % 4;
    if (kind == 0) mantissa &= ~Bits(0) << (words() % kMantissa);
    if (kind == 1) mantissa = ((mantissa & 3) - 2) & ones;
    constexpr uint64_t kBias = (1u << (kExponent - 1)) - 1;
    uint64_t exponent = kBias - 30 + words() % 60;
    if (wide && kind < 3) exponent = kind == 0 ? words() % 3 : words() % (2 * kBias + 1);
    return bits<T>(Bits(sign | Bits(exponent) << kMantissa | mantissa));
  }

  // An addend for a·b: any number, one that cancels it to within two units, or one in its neighbourhood.
  T addend(T a, T b, bool wide) {
    const T product = a * b;
    const uint64_t kind = words() % 4;
    T c = number(wide);
    if (kind == 1) c = bits<T>(Bits(bits<Bits>(-product) + Bits(words() % 5) - 2));
    if (kind == 2) c = std::ldexp(product, int(words() % 120) - 60);
    if (kind == 3) c = std::ldexp(T(1), std::ilogb(std::isnormal(product) ? product : T(1)) + int(words() % 120) - 60);
    return std::isfinite(c) ? c : T(0);
  }
};

template <class Format, class Vector>
void compare(Tally& tally, const char* type, int rounds) {
  using T = typename Format::T;
  using Bits = typename Format::Bits;
  constexpr int kLanes = int(sizeof(Vector) / sizeof(T));
  Format format;
  for (int round = 0; round < rounds; ++round) {
    const bool wide = round % 2 == 0;  // by turns, as lanes of ordinary numbers take a path of their own
    Vector a, b, c;
    for (int i = 0; i < kLanes; ++i) {
      a[i] = format.number(wide), b[i] = format.number(wide);
      c[i] = format.addend(a[i], b[i], wide);
    }
    const Vector lanes = L::fma(a, b, c);
    for (int i = 0; i < kLanes; ++i) {
      const T x = a[i], y = b[i], z = c[i], expected = std::fma(x, y, z);
      const auto check = [&](const char* which, T found) {
        tally.expect(bits<Bits>(found) == bits<Bits>(expected), [&] {
          char text[200];
          std::snprintf(text, sizeof text, "%s %s(%a, %a, %a): expected %a, found %a", type, which, double(x),
                        double(y), double(z), double(expected), double(found));
          return std::string(text);
        });
      };
      check("soft_fma", fanin::host::soft_fma(x, y, z));
      check("Lanes::fma", lanes[i]);
    }
  }
}

}  // namespace

void fused_multiply_add(Tally& tally) {
  compare<Format<float, uint32_t, 23, 8>, L::F32>(tally, "float32", 1'000'000);
  compare<Format<double, uint64_t, 52, 11>, L::F64>(tally, "float64", 2'000'000);
}
#else
void fused_multiply_add(Tally&) {}
#endif

}  // namespace check
