// Holds the fill kernels. This source is compiled once for every instruction set.
#include "cpu/kernels.hpp"

#include <cstring>
#include <type_traits>

#include "core/philox.hpp"
#include "cpu/formats.hpp"
#include "cpu/moments.hpp"
#include "tensor/sampling.hpp"

namespace fanin::FANIN_ISA {
namespace {

// Computes the Philox blocks of one name under one seed.
struct Blocks {
  PhiloxKey<L> key;
  uint64_t seed, id;

  explicit Blocks(const Draw& d) : key(d.seed), seed(d.seed), id(d.id) {}

  PhiloxPrefix<L> prefix(uint32_t block_high) const { return {seed, id, block_high}; }

  // Computes N registers of consecutive blocks within a tile; `first` is the lower half of the first one's number.
  template <int N>
  FANIN_FN void consecutive(uint32_t first, const PhiloxPrefix<L>& prefix, L::Word (&w)[4][N]) const {
    FANIN_UNROLL
    for (int i = 0; i < N; ++i)
      w[0][i] = L::iota() + uint64_t(first + uint32_t(i * L::kLanes64));
    philox_tile<L, N>(w, prefix, key);
  }

  // Computes N registers of any blocks.
  template <int N>
  FANIN_FN void anywhere(const L::U64 (&block)[N], L::Word (&w)[4][N]) const {
    for (int i = 0; i < N; ++i) {
      w[0][i] = block[i], w[1][i] = block[i] >> 32;
      w[2][i] = L::splat_word(uint32_t(id)), w[3][i] = L::splat_word(uint32_t(id >> 32));
    }
    philox<L, N>(w, key);
  }
};

// Holds two registers of 64-bit lanes, whose words fill one register of 32-bit lanes.
struct WordPair {
  L::Word low[4], high[4];

  FANIN_FN L::U32 operator[](int k) const { return L::narrow(low[k], high[k]); }
  template <class Function>
  FANIN_FN L::F32 by_way_of_f64(int k, const Function& f) const {
    return L::narrow(f(low[k]), f(high[k]));
  }
};

// Computes elements of 32 random bits.
template <class Sampler, class Format>
struct Stream32 {
  using Element = typename Format::Element;
  using Place = Tile<false>;
  Sampler sampler;
  Blocks blocks;

  explicit Stream32(const Draw& d) : sampler(d), blocks(d) {}

  FANIN_FN void tile(uint64_t number, const PhiloxPrefix<L>& prefix, Element* out) const {
    constexpr int kRegisters = L::kInFlight;
    for (int j = 0; j < kTileBlocks; j += kRegisters * L::kLanes64) {
      L::Word w[4][kRegisters];
      blocks.consecutive(uint32_t(number * kTileBlocks) + uint32_t(j), prefix, w);
      FANIN_UNROLL
      for (int i = 0; i < kRegisters; i += 2) {
        typename Sampler::Value v[4];
        sampler(WordPair{{w[0][i], w[1][i], w[2][i], w[3][i]}, {w[0][i + 1], w[1][i + 1], w[2][i + 1], w[3][i + 1]}},
                v);
        FANIN_UNROLL
        for (int k = 0; k < 4; ++k)
          Format::store(out + k * kTileBlocks + j + i * L::kLanes64, v[k]);
      }
    }
  }

  // Computes one register of elements from anywhere: every element computes a block of its own.
  static constexpr int kGather = L::kLanes32;
  FANIN_FN void gather(const uint64_t* index, Element* out) const {
    const L::U64 i0 = L::load<L::U64>(index), i1 = L::load<L::U64>(index + L::kLanes64);
    L::Word w[4][2];
    blocks.anywhere<2>({Place::block(i0), Place::block(i1)}, w);
    typename Sampler::Value v[4];
    sampler(WordPair{{w[0][0], w[1][0], w[2][0], w[3][0]}, {w[0][1], w[1][1], w[2][1], w[3][1]}}, v);
    const L::U32 word = L::narrow(Place::word(i0), Place::word(i1));
    for (int k = 1; k < 4; ++k)
      v[0] = L::select(word == uint32_t(k), v[k], v[0]);
    Format::store(out, v[0]);
  }
};

// Computes elements of 64 random bits.
template <class Sampler>
struct Stream64 {
  using Element = uint64_t;
  using Place = Tile<true>;
  Sampler sampler;
  Blocks blocks;

  explicit Stream64(const Draw& d) : sampler(d), blocks(d) {}

  FANIN_FN void tile(uint64_t number, const PhiloxPrefix<L>& prefix, Element* out) const {
    constexpr int kRegisters = L::kInFlight;
    for (int j = 0; j < kTileBlocks; j += kRegisters * L::kLanes64) {
      L::Word w[4][kRegisters];
      blocks.consecutive(uint32_t(number * kTileBlocks) + uint32_t(j), prefix, w);
      FANIN_UNROLL
      for (int i = 0; i < kRegisters; ++i) {
        typename Sampler::Value v[2];
        sampler({w[0][i], w[1][i], w[2][i], w[3][i]}, v);
        L::store(out + j + i * L::kLanes64, v[0]);
        L::store(out + kTileBlocks + j + i * L::kLanes64, v[1]);
      }
    }
  }

  static constexpr int kGather = L::kLanes64;
  FANIN_FN void gather(const uint64_t* index, Element* out) const {
    const L::U64 i = L::load<L::U64>(index);
    L::Word w[4][1];
    blocks.anywhere<1>({Place::block(i)}, w);
    typename Sampler::Value v[2];
    sampler({w[0][0], w[1][0], w[2][0], w[3][0]}, v);
    L::store(out, L::select(Place::word(i) != 0, v[1], v[0]));
  }
};

template <class Stream>
__attribute__((noinline)) void run_tiles(const Stream& stream, uint64_t number, uint64_t count,
                                         typename Stream::Element* out) {
  const auto block_high = [](uint64_t n) { return uint32_t(n * kTileBlocks >> 32); };
  PhiloxPrefix<L> prefix = stream.blocks.prefix(block_high(number));
  for (; count != 0; --count, ++number, out += Stream::Place::kElements) {
    if (prefix.block_high != block_high(number)) prefix = stream.blocks.prefix(block_high(number));
    stream.tile(number, prefix, out);
  }
}

template <class Stream>
void run(const Draw& draw, uint64_t first, uint64_t count, void* out) {
  using Element = typename Stream::Element;
  constexpr uint64_t kTile = Stream::Place::kElements;
  const Stream stream(draw);
  auto* p = static_cast<Element*>(out);
  uint64_t number = first / kTile;
  const auto part = [&](uint64_t skip, uint64_t length) {
    alignas(64) Element tile[kTile];
    run_tiles(stream, number++, 1, tile);
    memcpy(p, tile + skip, length * sizeof(Element));
    p += length, count -= length;
  };
  if (const uint64_t skip = first % kTile; skip != 0 && count != 0)
    part(skip, count < kTile - skip ? count : kTile - skip);
  const uint64_t whole = count / kTile;
  run_tiles(stream, number, whole, p);
  number += whole, count -= whole * kTile, p += whole * kTile;
  if (count != 0) part(0, count);
}

template <class Stream>
void gather(const Draw& draw, const uint64_t* index, uint64_t count, void* out) {
  using Element = typename Stream::Element;
  const Stream stream(draw);
  auto* p = static_cast<Element*>(out);
  for (; count >= Stream::kGather; count -= Stream::kGather, index += Stream::kGather, p += Stream::kGather)
    stream.gather(index, p);
  if (count == 0) return;
  uint64_t last[Stream::kGather] = {};
  Element values[Stream::kGather];
  memcpy(last, index, count * sizeof *index);
  stream.gather(last, values);
  memcpy(p, values, count * sizeof(Element));
}

template <class Sampling>
using StreamOf = std::conditional_t<is_wide(Sampling::dtype), Stream64<typename Sampling::Sampler>,
                                    Stream32<typename Sampling::Sampler, Format<Sampling::dtype>>>;

void run_any(const Draw& draw, uint64_t first, uint64_t count, void* out) {
  with_sampling<L>(draw, [&](auto sampling) { run<StreamOf<decltype(sampling)>>(draw, first, count, out); });
}

void gather_any(const Draw& draw, const uint64_t* index, uint64_t count, void* out) {
  with_sampling<L>(draw, [&](auto sampling) { gather<StreamOf<decltype(sampling)>>(draw, index, count, out); });
}

}  // namespace

extern const OrthogonalKernels orthogonal_kernels;
extern const SchemeKernels scheme_kernels;

const Kernels kernels = {FANIN_NAME, run_any, gather_any, moments_any, hash_of, &orthogonal_kernels, &scheme_kernels};

}  // namespace fanin::FANIN_ISA
