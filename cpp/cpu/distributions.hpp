// From Philox words to elements, for one register of blocks. A functor takes the blocks' four words and gives the elements
// that the four words (or the two halves) stand for; words come as two 64-bit registers each where elements have 32 bits.
#pragma once

#include "core/normal.hpp"
#include "core/rounding.hpp"
#include "core/truncated_normal.hpp"
#include "core/uniform.hpp"
#include "cpu/kernels.hpp"
#include "cpu/lanes.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;

struct Words32 {
  using Value = L::U32;
  explicit Words32(const Draw&) {}
  FANIN_FN void operator()(const L::Word (&low)[4], const L::Word (&high)[4], Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = L::narrow(low[k], high[k]);
  }
};

struct Uniform32 {
  using Value = L::F32;
  L::F32 low_bound, range;
  explicit Uniform32(const Draw& d) : low_bound(L::splat(float(d.offset))), range(L::splat(float(d.factor))) {}
  FANIN_FN void operator()(const L::Word (&low)[4], const L::Word (&high)[4], Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = L::fma(unit_f32<L>(L::narrow(low[k], high[k])), range, low_bound);
  }
};

struct Normal32 {
  using Value = L::F32;
  L::F32 mean, deviation;
  explicit Normal32(const Draw& d) : mean(L::splat(float(d.offset))), deviation(L::splat(float(d.factor))) {}
  FANIN_FN void operator()(const L::Word (&low)[4], const L::Word (&high)[4], Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; k += 2) {
      normal_f32<L>(L::narrow(low[k], high[k]), L::narrow(low[k + 1], high[k + 1]), out[k], out[k + 1]);
      out[k] = L::fma(out[k], deviation, mean);
      out[k + 1] = L::fma(out[k + 1], deviation, mean);
    }
  }
};

template <class V>
FANIN_FN V clamp(V x, V low, V high) {
  x = L::select(x < low, low, x);
  return L::select(x > high, high, x);
}

template <class Shape>
struct Truncated32 {
  using Value = L::F32;
  const Window window;
  explicit Truncated32(const Draw& d) : window(d.window) {}
  FANIN_FN L::F64 one(L::Word w) const {
    // w + 1/2, exactly, by way of 2^52 + w.
    const L::F64 n = L::as<L::F64>((w & 0xffffffffull) | 0x4330000000000000ull) - 0x1.fffffffffffffp+51;
    return Shape::template value<L, Single>(window, 0x1p-32, n, 0x1p32 - n);
  }
  FANIN_FN void operator()(const L::Word (&low)[4], const L::Word (&high)[4], Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = clamp(L::narrow(one(low[k]), one(high[k])), L::splat(float(window.low)), L::splat(float(window.high)));
  }
};

struct Words64 {
  using Value = L::U64;
  explicit Words64(const Draw&) {}
  FANIN_FN void operator()(const L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = L::join(w[0], w[1]);
    out[1] = L::join(w[2], w[3]);
  }
};

struct Uniform64 {
  using Value = L::F64;
  L::F64 low_bound, range;
  explicit Uniform64(const Draw& d) : low_bound(L::splat(d.offset)), range(L::splat(d.factor)) {}
  FANIN_FN void operator()(const L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = L::fma(unit_f64<L>(L::join(w[0], w[1])), range, low_bound);
    out[1] = L::fma(unit_f64<L>(L::join(w[2], w[3])), range, low_bound);
  }
};

struct Normal64 {
  using Value = L::F64;
  L::F64 mean, deviation;
  explicit Normal64(const Draw& d) : mean(L::splat(d.offset)), deviation(L::splat(d.factor)) {}
  FANIN_FN void operator()(const L::Word (&w)[4], Value (&out)[2]) const {
    normal_f64<L>(L::join(w[0], w[1]), L::join(w[2], w[3]), out[0], out[1]);
    out[0] = L::fma(out[0], deviation, mean);
    out[1] = L::fma(out[1], deviation, mean);
  }
};

template <class Shape>
struct Truncated64 {
  using Value = L::F64;
  const Window window;
  explicit Truncated64(const Draw& d) : window(d.window) {}
  FANIN_FN L::F64 one(L::U64 w) const {
    const L::F64 n = L::as<L::F64>((w >> 12) | 0x4330000000000000ull) - 0x1.fffffffffffffp+51;
    const L::F64 x = Shape::template value<L, Double>(window, 0x1p-52, n, 0x1p52 - n);
    return clamp(x, L::splat(window.low), L::splat(window.high));
  }
  FANIN_FN void operator()(const L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = one(L::join(w[0], w[1]));
    out[1] = one(L::join(w[2], w[3]));
  }
};

// How a register of values is stored: as it is, or rounded once more.
struct AsIs32 {
  using Element = uint32_t;
  template <class V>
  static FANIN_FN void store(Element* p, V v) {
    L::store(p, v);
  }
};
struct AsBfloat16 {
  using Element = uint16_t;
  static FANIN_FN void store(Element* p, L::F32 v) { L::store_upper_halves(p, round_to_bfloat16<L>(v)); }
};
struct AsFloat16 {
  using Element = uint16_t;
  static FANIN_FN void store(Element* p, L::F32 v) { L::store_float16(p, v); }
};

}  // namespace fanin::FANIN_ISA
