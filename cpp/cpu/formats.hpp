// How a register of values is stored: as it is, or rounded once more.
#pragma once

#include <type_traits>

#include "core/rounding.hpp"
#include "cpu/lanes.hpp"
#include "tensor/dtype.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;

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

// What a dtype takes from float32 values, or words.
template <Dtype kDtype>
using FormatOf = std::conditional_t<kDtype == Dtype::bfloat16, AsBfloat16,
                                    std::conditional_t<kDtype == Dtype::float16, AsFloat16, AsIs32>>;

}  // namespace fanin::FANIN_ISA
