// Chooses the sampler that makes the elements of a draw.
#pragma once

#include <type_traits>

#include "core/distributions.hpp"
#include "tensor/draw.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin::FANIN_ISA {

// Names a sampler, and the dtype that its values are rounded to.
template <class Sampler_, Dtype kDtype>
struct Sampling {
  using Sampler = Sampler_;
  static constexpr Dtype dtype = kDtype;
};

// Calls `action` with the sampling of a dtype: Single makes float32, Double makes float64, and Half makes the shorter
// ones.
template <class Single, class Double, class Half = Single, class Action>
void with_sampler(Dtype dtype, const Action& action) {
  with_float(dtype, [&](auto d) {
    constexpr Dtype kDtype = d.value;
    using Narrow = std::conditional_t<itemsize(kDtype) == 2, Half, Single>;
    action(Sampling<std::conditional_t<is_wide(kDtype), Double, Narrow>, kDtype>());
  });
}

// Calls `action` with the sampling that a draw asks for.
template <class L, class Action>
void with_sampling(const Draw& draw, const Action& action) {
  switch (draw.distribution) {
    case Distribution::bits:
      return is_wide(draw.dtype) ? action(Sampling<Words64<L>, Dtype::uint64>())
                                 : action(Sampling<Words32<L>, Dtype::uint32>());
    case Distribution::uniform:
      return with_sampler<Uniform32<L>, Uniform64<L>, LimitedUniform32<L>>(draw.dtype, action);
    case Distribution::normal: return with_sampler<Normal32<L>, Normal64<L>>(draw.dtype, action);
    case Distribution::truncated_normal:
      switch (draw.window.shape) {
        // A float64 window is never kAround.
        case Window::kAround: return with_sampler<TruncatedAround32<L>, Truncated64<L, Central>>(draw.dtype, action);
        case Window::kTail: return with_sampler<Truncated32<L, Tail>, Truncated64<L, Tail>>(draw.dtype, action);
        case Window::kPoint:  // is a constant, which is not drawn
        case Window::kCentral:
          return with_sampler<Truncated32<L, Central>, Truncated64<L, Central>>(draw.dtype, action);
      }
  }
}

}  // namespace fanin::FANIN_ISA
