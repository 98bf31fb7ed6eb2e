// Draws reflectors from their stream into tiles.
#pragma once

#include <cstring>
#include <type_traits>

#include "core/reflector.hpp"
#include "cpu/reflectors.hpp"
#include "cpu/transpose.hpp"
#include "cpu/vectors.hpp"

namespace fanin::FANIN_ISA {

constexpr int64_t kChains = 32;  // chains that a sum of squares is computed in

// Computes Σ x² over a segment in float64: ascending chains, by coordinate mod 32, whose sums are added by halves.
template <class T>
double squares(const T* x, int64_t begin, int64_t end) {
  constexpr int kLanes = L::kLanes64;
  L::F64 chain[kChains / kLanes] = {};
  for (int64_t c = begin / kChains * kChains; c < end; c += kChains) {
    FANIN_UNROLL
    for (int i = 0; i < kChains / kLanes; ++i) {
      L::F64 v;
      if constexpr (sizeof(T) == 4)
        v = __builtin_convertvector(L::load<L::F32Half>(x + c + i * kLanes), L::F64);
      else
        v = L::load<L::F64>(x + c + i * kLanes);
      chain[i] = L::fma(v, v, chain[i]);
    }
  }
  FANIN_UNROLL
  for (int half = kChains / kLanes / 2; half > 0; half /= 2) {
    FANIN_UNROLL
    for (int i = 0; i < half; ++i)
      chain[i] = chain[i] + chain[i + half];
  }
  double sum[kLanes];
  L::store(sum, chain[0]);
  for (int half = kLanes / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i)
      sum[i] += sum[i + half];
  return sum[0];
}

// Copies the 8 × 8 elements of a tile from rows that are kSegment apart.
template <class T>
FANIN_FN void transpose_tile(const T* rows, T* tile) {
  using V = std::conditional_t<(Vector<T>::kLanes > kTileSide), L::F32Half, typename Vector<T>::Type>;
  constexpr int kLanes = sizeof(V) / sizeof(T);
  for (int c = 0; c < kTileSide; c += kLanes) {
    for (int r = 0; r < kTileSide; r += kLanes) {
      V x[kLanes];
      FANIN_UNROLL
      for (int i = 0; i < kLanes; ++i)
        x[i] = L::load<V>(rows + (r + i) * kSegment + c);
      transpose<V, kLanes>(x);
      FANIN_UNROLL
      for (int i = 0; i < kLanes; ++i)
        L::store(tile + (c + i) * kTileSide + r, x[i]);
    }
  }
}

// Draws one column of tiles of a window. With `sum`, the squares below the diagonal are added up too, and the last
// window completes the reflectors and puts their heads into place. Without `keep`, the tiles are not written.
template <class T>
void draw_reflectors(const ReflectorBlock<T>& block, int64_t column, bool sum, bool keep) {
  // Reflectors no longer than a tile are drawn together.
  constexpr int64_t kDrawTile = Tile<sizeof(T) == 8>::kElements, kShort = Tile<false>::kElements;
  alignas(64) T rows[kTileSide][kSegment], drawn[kTileSide * kShort];
  const int64_t stride = block.tile_columns() * kTileSide * kTileSide, end = round_up_to(block.to, kTileSide);
  const int64_t first = block.start + column * kTileSide, left = block.count - column * kTileSide;
  const int64_t live = left < kTileSide ? left : kTileSide;
  const bool together = block.pitch <= kShort;
  T* const tiles = block.tiles + column * kTileSide * kTileSide;
  for (int64_t r = live; r < kTileSide; ++r)
    memset(rows[r], 0, sizeof rows[r]);
  if (together)
    kernels.run(block.draw, block.first + uint64_t(first * block.pitch), uint64_t(live * block.pitch), drawn);
  for (int64_t segment = block.from / kSegment * kSegment; segment < block.to; segment += kSegment) {
    const int64_t stop = segment + kSegment < end ? segment + kSegment : end;
    const int64_t from = segment > block.from ? segment : block.from;
    for (int64_t r = 0; r < live; ++r) {
      const int64_t k = first + r;
      T* const x = rows[r];
      const int64_t last = stop < block.length ? stop : block.length;
      const int64_t begin = k < from ? from : k < last ? k : last, whole = begin / kDrawTile * kDrawTile;
      if (together)
        memcpy(x + begin, drawn + r * block.pitch + begin, size_t(last - begin) * sizeof(T));
      else if (begin < last)
        kernels.run(block.draw, block.first + uint64_t(k * block.pitch + whole), uint64_t(last - whole),
                    x + whole - segment);
      memset(x + from - segment, 0, size_t(begin - from) * sizeof(T));
      memset(x + last - segment, 0, size_t(round_up_to(last, kChains) - last) * sizeof(T));
      if (!sum) continue;
      if (k >= from && k < last) {
        block.head[k - block.start] = x[k - segment];
        x[k - segment] = 0;
      }
      double& rest = block.rest[k - block.start];
      rest = (segment <= block.start ? 0.0 : rest) + squares(x, begin - segment, last - segment);
    }
    for (int64_t c = from; keep && c < stop; c += kTileSide)
      transpose_tile(rows[0] + c - segment, tiles + (c - block.from) / kTileSide * stride);
  }
  const bool known = !sum || block.to == block.length;
  for (int64_t r = 0; r < live; ++r) {
    const int64_t i = column * kTileSide + r, k = first + r;
    if (sum && known) {
      const Reflector<T> reflector = make_reflector<T>(block.head[i], block.rest[i], k == block.length - 1);
      block.head[i] = reflector.head, block.sign[i] = reflector.sign, block.half[i] = reflector.half;
    }
    if (known && keep && k >= block.from && k < block.to)
      tiles[(k - block.from) / kTileSide * stride + r * kTileSide + r] = block.head[i];
  }
  for (int64_t r = live; r < kTileSide; ++r)
    block.half[column * kTileSide + r] = 1;  // there is no reflector: what it divides is 0, so any divisor will do
}

}  // namespace fanin::FANIN_ISA
