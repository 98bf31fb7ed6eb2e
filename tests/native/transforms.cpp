// Compiled once for every instruction set, with the flags of its kernels.
#include "transforms.hpp"

#include "core/distributions.hpp"
#include "cpu/lanes.hpp"

namespace fanin::FANIN_ISA {
namespace {

using L = Lanes;

// Four registers' worth of words, in order, as the kernels hold them.
struct Words {
  L::Word low[4], high[4];
  L::U32 operator[](int k) const { return L::narrow(low[k], high[k]); }
  template <class Function>
  L::F32 by_way_of_f64(int k, const Function& f) const {
    return L::narrow(f(low[k]), f(high[k]));
  }
};

// `transform(words, out)`
template <class Transform>
FANIN_FN void consecutive(uint32_t first, size_t count, float* out, const Transform& transform) {
  constexpr size_t kStep = 4 * L::kLanes32;
  for (size_t i = 0; i < count; i += kStep) {
    Words words;
    for (int k = 0; k < 4; ++k) {
      words.low[k] = L::iota() + (uint64_t(first) + i + uint64_t(k * L::kLanes32));
      words.high[k] = words.low[k] + uint64_t(L::kLanes64);
    }
    L::F32 v[4];
    transform(words, v);
    for (int k = 0; k < 4; ++k)
      L::store(out + i + size_t(k * L::kLanes32), v[k]);
  }
}

template <class Function>
FANIN_FN void each_register(uint32_t first, size_t count, float* out, const Function& function) {
  consecutive(first, count, out, [&](const Words& words, L::F32(&v)[4]) {
    for (int k = 0; k < 4; ++k)
      v[k] = function(words[k]);
  });
}

void unit(const Draw&, uint32_t first, size_t count, float* out) {
  each_register(first, count, out, [](L::U32 w) { return unit_f32<L>(w); });
}

void radius(const Draw&, uint32_t first, size_t count, float* out) {
  each_register(first, count, out, [](L::U32 w) { return radius_f32<L>(w); });
}

void cosine(const Draw&, uint32_t first, size_t count, float* out) {
  each_register(first, count, out, [](L::U32 w) {
    L::F32 c, s;
    direction_f32<L>(w, c, s);
    return c;
  });
}

void sine(const Draw&, uint32_t first, size_t count, float* out) {
  each_register(first, count, out, [](L::U32 w) {
    L::F32 c, s;
    direction_f32<L>(w, c, s);
    return s;
  });
}

void truncated(const Draw& draw, uint32_t first, size_t count, float* out) {
  switch (draw.window.shape) {
    case Window::kAround: return consecutive(first, count, out, TruncatedAround32<L>(draw));
    case Window::kTail: return consecutive(first, count, out, Truncated32<L, Tail>(draw));
    default: return consecutive(first, count, out, Truncated32<L, Central>(draw));
  }
}

void normal_f32_of(const uint64_t* radius_words, const uint64_t* angle_words, size_t count, float* z0, float* z1) {
  const auto narrow = [](const uint64_t* w) {
    return L::narrow(L::load<L::Word>(w), L::load<L::Word>(w + L::kLanes64));
  };
  for (size_t i = 0; i < count; i += L::kLanes32) {
    L::F32 x, y;
    normal_f32<L>(narrow(radius_words + i), narrow(angle_words + i), x, y);
    L::store(z0 + i, x);
    L::store(z1 + i, y);
  }
}

void normal_f64_of(const uint64_t* radius_words, const uint64_t* angle_words, size_t count, double* z0, double* z1) {
  for (size_t i = 0; i < count; i += L::kLanes64) {
    L::F64 x, y;
    normal_f64<L>(L::load<L::U64>(radius_words + i), L::load<L::U64>(angle_words + i), x, y);
    L::store(z0 + i, x);
    L::store(z1 + i, y);
  }
}

template <class Shape>
void truncated_f64_in(const Draw& draw, const uint64_t* words, size_t count, double* out) {
  const Truncated64<L, Shape> sampler(draw);
  for (size_t i = 0; i < count; i += L::kLanes64)
    L::store(out + i, sampler(L::load<L::U64>(words + i)));
}

void truncated_f64_of(const Draw& draw, const uint64_t* words, size_t count, double* out) {
  (draw.window.shape == Window::kTail ? truncated_f64_in<Tail> : truncated_f64_in<Central>)(draw, words, count, out);
}

}  // namespace

const Transforms transforms = {FANIN_NAME, unit,          radius,        cosine,          sine,
                               truncated,  normal_f32_of, normal_f64_of, truncated_f64_of};

}  // namespace fanin::FANIN_ISA
