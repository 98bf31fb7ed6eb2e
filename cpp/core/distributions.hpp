// Turns Philox words into elements. A sampler takes the four words of a register of blocks and returns the element of
// each word, or of each half for 64-bit elements. kPairs says that an element also depends on the neighbouring word.
#pragma once

#include "core/law.hpp"
#include "core/normal.hpp"
#include "core/truncated_normal.hpp"
#include "core/uniform.hpp"

namespace fanin::FANIN_ISA {

template <class L, class V>
FANIN_FN V clamp(V x, V low, V high) {
  x = L::select(x < low, low, x);
  return L::select(x > high, high, x);
}

// Samplers of 32-bit elements follow. `words[k]` is word k of all blocks, as one register; `words.by_way_of_f64(k, f)`
// is f of it, computed in float64 and rounded to float32.
template <class L>
struct Words32 {
  using Value = typename L::U32;
  static constexpr bool kPairs = false;
  FANIN_FN explicit Words32(const Law&) {}
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = words[k];
  }
};

template <class L>
struct Uniform32 {
  using Value = typename L::F32;
  static constexpr bool kPairs = false;
  Value low, range;
  FANIN_FN explicit Uniform32(const Law& d) : low(L::splat(float(d.offset))), range(L::splat(float(d.factor))) {}
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = L::fma(unit_f32<L>(words[k]), range, low);
  }
};

// Limits values to bounds that are values of the dtype, as rounding to it could take a value beyond the given bounds.
template <class L>
struct LimitedUniform32 {
  using Value = typename L::F32;
  static constexpr bool kPairs = false;
  Uniform32<L> uniform;
  Value least, most;
  FANIN_FN explicit LimitedUniform32(const Law& d)
      : uniform(d), least(L::splat(float(d.least))), most(L::splat(float(d.most))) {}
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    uniform(words, out);
    FANIN_UNROLL
    for (Value& value : out)
      value = clamp<L>(value, least, most);
  }
};

template <class L>
struct Normal32 {
  using Value = typename L::F32;
  static constexpr bool kPairs = true;
  Value mean, deviation;
  FANIN_FN explicit Normal32(const Law& d) : mean(L::splat(float(d.offset))), deviation(L::splat(float(d.factor))) {}
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    FANIN_UNROLL
    for (int k = 0; k < 4; k += 2) {
      normal_f32<L>(words[k], words[k + 1], out[k], out[k + 1]);
      out[k] = L::fma(out[k], deviation, mean);
      out[k + 1] = L::fma(out[k + 1], deviation, mean);
    }
  }
};

template <class L>
struct TruncatedAround32 {
  using Value = typename L::F32;
  static constexpr bool kPairs = false;
  Around<L> around;
  Value mean, deviation, least, most;
  FANIN_FN explicit TruncatedAround32(const Law& d)
      : around(d.window),
        mean(L::splat(float(d.window.mean))),
        deviation(L::splat(float(d.window.std))),
        least(L::splat(float(d.least))),
        most(L::splat(float(d.most))) {}
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    Value x[4];
    around(words, x);
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = clamp<L>(L::fma(x[k], deviation, mean), least, most);
  }
};

template <class L, class Shape>
struct Truncated32 {
  using Value = typename L::F32;
  static constexpr bool kPairs = false;
  Window window;
  double least, most;
  FANIN_FN explicit Truncated32(const Law& d) : window(d.window), least(d.least), most(d.most) {}
  FANIN_FN typename L::F64 operator()(typename L::U64 w) const {
    // This is w + 1/2, computed exactly by way of 2^52 + w.
    const auto n = L::template as<typename L::F64>((w & 0xffffffffull) | 0x4330000000000000ull) - 0x1.fffffffffffffp+51;
    return Shape::template value<L>(window, 0x1p-32, n, 0x1p32 - n);
  }
  template <class Words>
  FANIN_FN void operator()(const Words& words, Value (&out)[4]) const {
    const Value low = L::splat(float(least)), high = L::splat(float(most));
    FANIN_UNROLL
    for (int k = 0; k < 4; ++k)
      out[k] = clamp<L>(words.by_way_of_f64(k, *this), low, high);
  }
};

// Samplers of 64-bit elements follow.
template <class L>
struct Words64 {
  using Value = typename L::U64;
  static constexpr bool kPairs = false;
  FANIN_FN explicit Words64(const Law&) {}
  FANIN_FN void operator()(const typename L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = L::join(w[0], w[1]);
    out[1] = L::join(w[2], w[3]);
  }
};

template <class L>
struct Uniform64 {
  using Value = typename L::F64;
  static constexpr bool kPairs = false;
  Value low, range;
  FANIN_FN explicit Uniform64(const Law& d) : low(L::splat(d.offset)), range(L::splat(d.factor)) {}
  FANIN_FN void operator()(const typename L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = L::fma(unit_f64<L>(L::join(w[0], w[1])), range, low);
    out[1] = L::fma(unit_f64<L>(L::join(w[2], w[3])), range, low);
  }
};

template <class L>
struct Normal64 {
  using Value = typename L::F64;
  static constexpr bool kPairs = true;
  Value mean, deviation;
  FANIN_FN explicit Normal64(const Law& d) : mean(L::splat(d.offset)), deviation(L::splat(d.factor)) {}
  FANIN_FN void operator()(const typename L::Word (&w)[4], Value (&out)[2]) const {
    normal_f64<L>(L::join(w[0], w[1]), L::join(w[2], w[3]), out[0], out[1]);
    out[0] = L::fma(out[0], deviation, mean);
    out[1] = L::fma(out[1], deviation, mean);
  }
};

template <class L, class Shape>
struct Truncated64 {
  using Value = typename L::F64;
  static constexpr bool kPairs = false;
  Window window;
  double least, most;
  FANIN_FN explicit Truncated64(const Law& d) : window(d.window), least(d.least), most(d.most) {}
  FANIN_FN Value operator()(typename L::U64 w) const {
    const auto n = L::template as<Value>((w >> 12) | 0x4330000000000000ull) - 0x1.fffffffffffffp+51;
    const Value x = Shape::template value<L>(window, 0x1p-52, n, 0x1p52 - n);
    return clamp<L>(x, L::splat(least), L::splat(most));
  }
  FANIN_FN void operator()(const typename L::Word (&w)[4], Value (&out)[2]) const {
    out[0] = (*this)(L::join(w[0], w[1]));
    out[1] = (*this)(L::join(w[2], w[3]));
  }
};

}  // namespace fanin::FANIN_ISA
