// Says what a thread does: jobs are functions of a thread's number, which the host can run too. No two threads write to
// one place.
#pragma once

#include <type_traits>
#include <utility>

#include "core/philox.hpp"
#include "core/rounding.hpp"
#include "core/scalar.hpp"
#include "core/sinusoid.hpp"
#include "core/step_bias.hpp"
#include "cuda/box.hpp"
#include "tensor/sampling.hpp"
#include "tensor/structured.hpp"

namespace fanin::FANIN_ISA {

using S = Scalar;

template <Dtype kDtype>
using ElementOf =
    std::conditional_t<itemsize(kDtype) == 2, uint16_t, std::conditional_t<itemsize(kDtype) == 4, uint32_t, uint64_t>>;

// Rounds a value to the dtype and returns its bits.
template <Dtype kDtype, class V>
FANIN_FN ElementOf<kDtype> pattern(V value) {
  if constexpr (kDtype == Dtype::bfloat16) {
    return uint16_t(round_to_bfloat16<S>(value) >> 16);
  } else if constexpr (kDtype == Dtype::float16) {
#ifdef __CUDA_ARCH__
    uint16_t half;  // the instruction rounds to nearest even and keeps subnormals, as the core does
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
#else
    return round_to_float16(S::as<uint32_t>(value));
#endif
  } else {
    return S::as<ElementOf<kDtype>>(value);
  }
}

// Computes the four words of one block.
struct BlockWords {
  uint32_t word[4];

  FANIN_FN uint32_t operator[](int k) const { return word[k]; }
  template <class Function>
  FANIN_FN float by_way_of_f64(int k, const Function& f) const {
    return float(f(uint64_t(word[k])));
  }
};

// Gives a sampler its blocks.
template <class Sampling>
struct Source {
  using Sampler = typename Sampling::Sampler;
  using Element = ElementOf<Sampling::dtype>;
  static constexpr bool kWide = is_wide(Sampling::dtype);
  using Place = Tile<kWide>;
  static constexpr int kWords = Place::kWords;

  Sampler sampler;
  uint64_t seed, id;
  PhiloxKey<S> key;

  Source(const Sampler& s, const Draw& draw) : sampler(s), seed(draw.seed), id(draw.id), key(draw.seed) {}

  // Computes the elements of blocks `block` … `block` + N - 1 of a tile, in the order of their words.
  template <int N>
  FANIN_FN void draw(uint64_t tile, uint32_t block, Element (&out)[kWords][N]) const {
    const uint64_t number = tile * kTileBlocks;
    uint32_t w[4][N];
    FANIN_UNROLL
    for (int i = 0; i < N; ++i)
      w[0][i] = uint32_t(number) + block + uint32_t(i);
    philox_tile<S, N>(w, PhiloxPrefix<S>(seed, id, uint32_t(number >> 32)), key);
    FANIN_UNROLL
    for (int i = 0; i < N; ++i) {
      typename Sampler::Value v[kWords];
      sample({{w[0][i], w[1][i], w[2][i], w[3][i]}}, v);
      FANIN_UNROLL
      for (int k = 0; k < kWords; ++k)
        out[k][i] = pattern<Sampling::dtype>(v[k]);
    }
  }

  // Computes one element from its own words alone, which take the place of all the others.
  FANIN_FN typename Sampler::Value value(uint64_t index) const {
    const uint64_t number = Place::block(index);
    const auto k = int(Place::word(index));
    uint32_t w[4][1] = {{uint32_t(number)}, {uint32_t(number >> 32)}, {uint32_t(id)}, {uint32_t(id >> 32)}};
    philox<S, 1>(w, key);
    typename Sampler::Value v[kWords];
    if constexpr (kWide && Sampler::kPairs) {
      sample({{w[0][0], w[1][0], w[2][0], w[3][0]}}, v);
    } else if constexpr (kWide || Sampler::kPairs) {
      const bool second = kWide ? k == 1 : k >= 2;
      const uint32_t a = second ? w[2][0] : w[0][0], b = second ? w[3][0] : w[1][0];
      sample({{a, b, a, b}}, v);
    } else {
      const uint32_t a = k == 0 ? w[0][0] : k == 1 ? w[1][0] : k == 2 ? w[2][0] : w[3][0];
      sample({{a, a, a, a}}, v);
    }
    return k % 2 ? v[1] : v[0];
  }
  FANIN_FN Element operator()(uint64_t index) const { return pattern<Sampling::dtype>(value(index)); }

 private:
  FANIN_FN void sample(const BlockWords& words, typename Sampler::Value (&v)[kWords]) const {
    if constexpr (kWide)
      sampler(words.word, v);
    else
      sampler(words, v);
  }
};

// Writes N elements, at once if they lie side by side.
template <class Element, int N>
FANIN_FN void store(char* place, int64_t from, int64_t count, const Element (&values)[N]) {
  static_assert(sizeof values == 16, "the widest store there is");
  if (from >= 0 && from + N <= count && reinterpret_cast<uintptr_t>(place) % 16 == 0) {
    uint32_t packed[4];
    memcpy(packed, values, 16);
#ifdef __CUDACC__
    *reinterpret_cast<uint4*>(place) = make_uint4(packed[0], packed[1], packed[2], packed[3]);
#else
    memcpy(place, packed, 16);
#endif
    return;
  }
  FANIN_UNROLL
  for (int i = 0; i < N; ++i)
    if (from + i >= 0 && from + i < count) *reinterpret_cast<Element*>(place + i * int(sizeof(Element))) = values[i];
}

// Says whether threads take whole tiles. Far tails need so much arithmetic that each element may compute a block of its
// own.
template <class Sampler>
constexpr bool kTiled = true;
template <>
constexpr bool kTiled<Truncated32<S, Tail>> = false;
template <>
constexpr bool kTiled<Truncated64<S, Tail>> = false;

// Fills contiguous runs of `count` elements, one for every position of `runs`. A thread takes as many neighbouring
// blocks as make the elements of each word fill 16 bytes; neighbouring threads write the rest of the 32 elements that a
// word has in a tile.
template <class Sampling>
struct Tiles {
  using Source = fanin::FANIN_ISA::Source<Sampling>;
  using Element = typename Source::Element;
  static constexpr int kTaken = 16 / sizeof(Element);         // that a thread takes
  static constexpr uint64_t kThreads = kTileBlocks / kTaken;  // that share a tile
  static constexpr uint64_t kTile = Source::Place::kElements;

  Source source;
  Box runs;
  int64_t count;
  uint64_t threads;  // for each run: enough for all tiles that it can touch

  Tiles(const Source& s, const Region& region) : source(s), runs(region, region.axes.size() - 1) {
    count = region.axes.back().count;
    bool aligned = true;  // whether every run begins at the same place of a tile
    for (int i = 0; i < runs.axes; ++i)
      aligned = aligned && runs.step[i] % int64_t(kTile) == 0;
    const uint64_t skip = aligned ? runs.first % kTile : kTile - 1;
    threads = (skip + uint64_t(count) + kTile - 1) / kTile * kThreads;
  }
  uint64_t size() const { return runs.positions() * threads; }

  FANIN_FN void operator()(uint64_t t) const {
    const uint64_t run = runs.axes == 0 ? 0 : divide(t, threads), thread = t - run * threads;
    uint64_t first;
    char* data;
    runs.at(run, first, data);
    const uint64_t tile = first / kTile + thread / kThreads;
    const uint32_t block = uint32_t(thread % kThreads) * kTaken;
    const auto from = int64_t(tile * kTile + block - first);  // place in the run of word 0's first element
    if (from >= count || from + int64_t(kTile - kTileBlocks) + kTaken <= 0) return;
    Element values[Source::kWords][kTaken];
    source.template draw<kTaken>(tile, block, values);
    FANIN_UNROLL
    for (int k = 0; k < Source::kWords; ++k) {
      const int64_t at = from + k * int64_t(kTileBlocks);
      store(data + at * int64_t(sizeof(Element)), at, count, values[k]);
    }
  }
};

// Fills every position of `box` with an element that is a function of its flat global index.
template <class Function>
struct Each {
  using Element = std::decay_t<decltype(std::declval<const Function&>()(uint64_t()))>;
  Function function;
  Box box;

  Each(const Function& f, const Region& region) : function(f), box(region, region.axes.size()) {}
  uint64_t size() const { return box.positions(); }

  FANIN_FN void operator()(uint64_t t) const {
    uint64_t index;
    char* place;
    box.at(t, index, place);
    *reinterpret_cast<Element*>(place) = function(index);
  }
};

// Gives every element the same value, which has the dtype's compute type.
template <class V>
struct Constant {
  using Value = V;
  static constexpr bool kPairs = false;
  V constant;
  template <class Words, int N>
  FANIN_FN void operator()(const Words&, V (&out)[N]) const {
    FANIN_UNROLL
    for (int k = 0; k < N; ++k)
      out[k] = constant;
  }
};

template <Dtype kDtype>
struct StepBiases {
  using Value = std::conditional_t<is_wide(kDtype), double, float>;
  using Uniform = std::conditional_t<is_wide(kDtype), Sampling<Uniform64<S>, Dtype::float64>,
                                     Sampling<Uniform32<S>, Dtype::float32>>;
  Source<Uniform> uniform;
  StepBias bias;

  FANIN_FN ElementOf<kDtype> operator()(uint64_t index) const {
    return pattern<kDtype>(Value(step_bias<S>(bias, double(uniform.value(index)))));
  }
};

// Gives an element the table's entry for its position on one axis, whose neighbours are `axis_step` elements apart.
template <class Element>
struct Broadcast {
  const uint64_t* patterns;
  uint64_t size, axis_step;

  FANIN_FN Element operator()(uint64_t index) const {
    const uint64_t place = divide(index, axis_step);
    return Element(patterns[place - divide(place, size) * size]);
  }
};

template <Dtype kDtype>
struct Sinusoids {
  using Value = std::conditional_t<is_wide(kDtype), double, float>;
  const double *high, *low;
  const uint64_t* quarter;
  Axis positions, columns;
  int64_t first;
  char* data;

  uint64_t size() const { return uint64_t(positions.count) * uint64_t(columns.count); }
  FANIN_FN void operator()(uint64_t t) const {
    const uint64_t row = divide(t, uint64_t(columns.count)), c = t - row * uint64_t(columns.count);
    const auto r = int64_t(row);
    const double value = sinusoid<S>(double(first + r * positions.step), high[c], low[c], quarter[c]);
    char* const place = data + r * positions.stride + int64_t(c) * columns.stride;
    *reinterpret_cast<ElementOf<kDtype>*>(place) = pattern<kDtype>(Value(value));
  }
};

template <class Element>
struct Ones {
  Diagonal diagonal;
  Element one;

  uint64_t size() const { return uint64_t(diagonal.outs.count); }
  FANIN_FN void operator()(uint64_t t) const {
    if (char* const place = diagonal.at(int64_t(t))) *reinterpret_cast<Element*>(place) = one;
  }
};

// Carries a piece of a table in a kernel's arguments: a copy from the host's memory would wait for the stream.
struct Upload {
  static constexpr size_t kMost = 384;  // so that all arguments stay below 4 KiB, which every toolkit takes
  uint64_t count;
  uint64_t* to;
  uint64_t words[kMost];

  uint64_t size() const { return count; }
  FANIN_FN void operator()(uint64_t t) const { to[t] = words[t]; }
};

}  // namespace fanin::FANIN_ISA
