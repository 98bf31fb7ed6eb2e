// Stores a register of values, as it is or rounded once more.
#pragma once

#include "core/rounding.hpp"
#include "cpu/lanes.hpp"
#include "tensor/dtype.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;

// Converts float32 values, or words, to a dtype and stores them.
template <Dtype kDtype>
struct Format;
template <>
struct Format<Dtype::float32> {
  using Element = uint32_t;
  template <class V>
  static FANIN_FN void store(Element* p, V v) {
    L::store(p, v);
  }
};
template <>
struct Format<Dtype::uint32> : Format<Dtype::float32> {};
template <>
struct Format<Dtype::bfloat16> {
  using Element = uint16_t;
  static FANIN_FN void store(Element* p, L::F32 v) { L::store_upper_halves(p, round_to_bfloat16<L>(v)); }
};
template <>
struct Format<Dtype::float16> {
  using Element = uint16_t;
  static FANIN_FN void store(Element* p, L::F32 v) { L::store_float16(p, v); }
};

}  // namespace fanin::FANIN_ISA
