// Multiplies tiles of reflectors with panels of vectors, register by register, in the order that docs/stream-v1.md §6
// fixes.
#pragma once

#include <cstring>
#include <type_traits>

#include "cpu/reflectors.hpp"
#include "cpu/vectors.hpp"

namespace fanin::FANIN_ISA {

// A product keeps so many rows in registers, and so many registers for each row. On AVX-512, 8 × 3 would fit, but 8 × 2
// leaves the compiler room. Where hundreds of reflectors only update, 8 × 1 keeps their coefficients in the nearest
// cache, and fewer vectors pass reflectors that come after their own and do not change them.
#if defined(__AVX512F__)
constexpr int kRows = 8, kPanelRegisters = 2, kUpdateRegisters = 1;
#elif defined(__aarch64__)
constexpr int kRows = 8, kPanelRegisters = 3, kUpdateRegisters = 3;
#else
constexpr int kRows = 4, kPanelRegisters = 3, kUpdateRegisters = 3;
#endif

// Computes sums[k][r] += Σ_c tile(c, k)·panel[c][r] for the 8 reflectors of a column of tiles and the first registers
// of a panel of width kW: one ascending chain from 0 over at most the coordinates of a segment.
template <class T, int kRegisters, int64_t kW = kWidth<T, kRegisters>>
FANIN_FN void project(const T* tiles, int64_t stride, int64_t count, const T* panel, T* sums) {
  using V = typename Vector<T>::Type;
  constexpr int kLanes = Vector<T>::kLanes;
  for (int part = 0; part < kTileSide; part += kRows) {
    V sum[kRows][kRegisters] = {};
    const T* tile = tiles + part;
    const T* p = panel;
    for (int64_t t = 0; t < count; ++t, tile += stride, p += kTileSide * kW) {
      FANIN_UNROLL
      for (int c = 0; c < kTileSide; ++c) {
        V q[kRegisters];
        FANIN_UNROLL
        for (int r = 0; r < kRegisters; ++r)
          q[r] = L::load<V>(p + c * kW + r * kLanes);
        FANIN_UNROLL
        for (int k = 0; k < kRows; ++k) {
          const V v = L::splat(tile[c * kTileSide + k]);
          FANIN_UNROLL
          for (int r = 0; r < kRegisters; ++r)
            sum[k][r] = L::fma(v, q[r], sum[k][r]);
        }
      }
    }
    FANIN_UNROLL
    for (int k = 0; k < kRows; ++k) {
      T* const w = sums + (part + k) * kW;
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r)
        L::store(w + r * kLanes, L::load<V>(w + r * kLanes) + sum[k][r]);
    }
  }
}

// Computes panel[c][r] += Σ_k tile(c, k)·x[k][r] for the 8 coordinates of a row of tiles: one ascending chain from
// panel[c][r].
template <class T, int kRegisters>
FANIN_FN void update(const T* tiles, int64_t columns, const T* x, T* panel) {
  using V = typename Vector<T>::Type;
  constexpr int kLanes = Vector<T>::kLanes;
  for (int part = 0; part < kTileSide; part += kRows) {
    V q[kRows][kRegisters];
    T* p = panel + part * kWidth<T, kRegisters>;
    FANIN_UNROLL
    for (int c = 0; c < kRows; ++c) {
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r)
        q[c][r] = L::load<V>(p + c * kWidth<T, kRegisters> + r * kLanes);
    }
    const T* tile = tiles + part * kTileSide;
    const T* y = x;
    for (int64_t t = 0; t < columns; ++t, tile += kTileSide * kTileSide, y += kTileSide * kWidth<T, kRegisters>) {
      FANIN_UNROLL
      for (int k = 0; k < kTileSide; ++k) {
        V s[kRegisters];
        FANIN_UNROLL
        for (int r = 0; r < kRegisters; ++r)
          s[r] = L::load<V>(y + k * kWidth<T, kRegisters> + r * kLanes);
        FANIN_UNROLL
        for (int c = 0; c < kRows; ++c) {
          const V v = L::splat(tile[c * kTileSide + k]);
          FANIN_UNROLL
          for (int r = 0; r < kRegisters; ++r)
            q[c][r] = L::fma(v, s[r], q[c][r]);
        }
      }
    }
    FANIN_UNROLL
    for (int c = 0; c < kRows; ++c) {
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r)
        L::store(p + c * kWidth<T, kRegisters> + r * kLanes, q[c][r]);
    }
  }
}

// Solves (striu(G) + diag(half)) x = w for every vector of a panel, from the last reflector up, and leaves -x in w. A few
// rows at a time stay in registers while all later reflectors are taken out of them.
template <class T, int kRegisters>
FANIN_FN void solve(const ReflectorBlock<T>& block, int64_t count, T* w) {
  using V = typename Vector<T>::Type;
  constexpr int kLanes = Vector<T>::kLanes;
  constexpr int64_t kW = kWidth<T, kRegisters>;
  const int64_t pitch = block.gram_pitch();
  for (int64_t i = count - kRows; i >= 0; i -= kRows) {
    V x[kRows][kRegisters];
    FANIN_UNROLL
    for (int k = 0; k < kRows; ++k) {
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r)
        x[k][r] = L::load<V>(w + (i + k) * kW + r * kLanes);
    }
    for (int64_t l = count - 1; l >= i + kRows; --l) {
      V y[kRegisters];
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r)
        y[r] = L::load<V>(w + l * kW + r * kLanes);
      FANIN_UNROLL
      for (int k = 0; k < kRows; ++k) {
        const V g = L::splat(block.gram[l * pitch + i + k]);
        FANIN_UNROLL
        for (int r = 0; r < kRegisters; ++r)
          x[k][r] = L::fma(g, y[r], x[k][r]);
      }
    }
    FANIN_UNROLL
    for (int l = kRows - 1; l >= 0; --l) {
      const V half = L::splat(block.half[i + l]);
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r) {
        x[l][r] = -(x[l][r] / half);
        L::store(w + (i + l) * kW + r * kLanes, x[l][r]);
      }
      FANIN_UNROLL
      for (int k = 0; k < l; ++k) {
        const V g = L::splat(block.gram[(i + l) * pitch + i + k]);
        FANIN_UNROLL
        for (int r = 0; r < kRegisters; ++r)
          x[k][r] = L::fma(g, x[l][r], x[k][r]);
      }
    }
  }
}

// Holds a range [begin, end) of the rows of tiles in a window.
struct Rows {
  int64_t begin, end;
};

// Returns the rows of a segment that lie in the window and below `extent`.
template <class T>
Rows rows_of(const ReflectorBlock<T>& block, int64_t segment, int64_t extent) {
  int64_t begin = segment * kSegment, end = begin + kSegment;
  begin = begin > block.from ? begin : block.from;
  end = end < block.to ? end : block.to;
  end = end < extent ? end : extent;
  const int64_t first = (begin - block.from) / kTileSide;
  return {first, end <= begin ? first : (end - block.from + kTileSide - 1) / kTileSide};
}

// Returns the first row of tiles that is not 0 in a column: that of the diagonal, or the first of the window.
template <class T>
int64_t first_row(const ReflectorBlock<T>& block, int64_t column, const Rows& rows) {
  const int64_t diagonal = column - (block.from - block.start) / kTileSide;
  return diagonal < rows.begin ? rows.begin : diagonal < rows.end ? diagonal : rows.end;
}

// Returns how many of `columns` columns are not 0 in a row of tiles.
template <class T>
int64_t columns_of(const ReflectorBlock<T>& block, int64_t row, int64_t columns) {
  const int64_t reach = row + 1 + (block.from - block.start) / kTileSide;
  return reach < columns ? reach : columns;
}

// Reflectors that come after the last vector's own do not change a panel, so they are left out.
template <class T>
int64_t columns_needed(const ReflectorBlock<T>& block, const Panel<T>& panel) {
  const int64_t all = block.tile_columns(), needed = (panel.last - block.start) / kTileSide + 1;
  return needed < all ? needed : all;
}

template <class T, int kRegisters>
__attribute__((noinline)) void solve_panel(const ReflectorBlock<T>& block, const Panel<T>& panel, T* w) {
  solve<T, kRegisters>(block, columns_needed(block, panel) * kTileSide, w);
}

template <class T, int kRegisters>
__attribute__((noinline)) void update_panel(const ReflectorBlock<T>& block, const Panel<T>& panel, const Rows& rows,
                                            const T* w) {
  constexpr int64_t kW = kWidth<T, kRegisters>, kTile = kTileSide * kTileSide;
  const int64_t columns = columns_needed(block, panel), stride = block.tile_columns() * kTile;
  for (int64_t row = rows.begin; row < rows.end; ++row)
    update<T, kRegisters>(block.tiles + row * stride, columns_of(block, row, columns), w,
                          panel.data + (block.from + row * kTileSide - panel.from) * kW);
}

template <class T, int kRegisters>
__attribute__((noinline)) void apply_to(const ReflectorBlock<T>& block, const Panel<T>& panel) {
  constexpr int64_t kW = kWidth<T, kRegisters>, kTile = kTileSide * kTileSide;
  alignas(64) T w[kMostReflectors * kW];
  const int64_t columns = columns_needed(block, panel), stride = block.tile_columns() * kTile;
  memset(w, 0, size_t(columns * kTileSide * kW) * sizeof(T));
  for (int64_t segment = block.from / kSegment; segment * kSegment < panel.extent; ++segment) {
    const Rows rows = rows_of(block, segment, panel.extent);
    for (int64_t k = 0; k < columns; ++k) {
      const int64_t row = first_row(block, k, rows);
      if (row < rows.end)
        project<T, kRegisters>(block.tiles + row * stride + k * kTile, stride, rows.end - row,
                               panel.data + (block.from + row * kTileSide) * kW, w + k * kTileSide * kW);
    }
  }
  solve_panel<T, kRegisters>(block, panel, w);
  update_panel<T, kRegisters>(block, panel, {0, block.tile_rows()}, w);
}

// Calls `action` with the number of registers as a type.
template <class Action>
FANIN_FN void with_registers(int64_t registers, const Action& action) {
  if (registers == 1) return action(std::integral_constant<int, 1>());
  if (registers == 2) return action(std::integral_constant<int, 2>());
  action(std::integral_constant<int, 3>());
}

// Computes columns of a segment's part of VVᵀ, with a panel that consists of the reflectors themselves.
template <class T, int kRegisters>
__attribute__((noinline)) void gram_columns(const ReflectorBlock<T>& block, int64_t segment, int64_t left, T* part,
                                            bool add) {
  constexpr int64_t kW = kWidth<T, kRegisters>, kPiece = 4;
  static_assert(kW % kPiece == 0, "pieces of a tile's row make up a panel's");
  constexpr int64_t kTile = kTileSide * kTileSide;
  alignas(64) T panel[kSegment * kW];
  const int64_t pitch = block.gram_pitch(), columns = block.tile_columns(), stride = columns * kTile;
  const Rows all = rows_of(block, segment, block.to);
  const Rows rows{first_row(block, left / kTileSide, all), all.end};
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    T* p = panel + (row - rows.begin) * kTileSide * kW;
    FANIN_UNROLL
    for (int64_t k = 0; k < kW; k += kPiece, p += kPiece) {
      const int64_t column = (left + k) / kTileSide;
      const T* const tile = block.tiles + row * stride + column * kTile + (left + k) % kTileSide;
      for (int64_t c = 0; c < kTileSide; ++c) {
        if (column < columns)
          memcpy(p + c * kW, tile + c * kTileSide, kPiece * sizeof(T));
        else
          memset(p + c * kW, 0, kPiece * sizeof(T));
      }
    }
  }
  for (int64_t k = left / kTileSide; k < columns; ++k) {
    alignas(64) T sums[kTileSide * kW] = {};
    const int64_t row = first_row(block, k, rows);
    // Near the diagonal some registers have no column below it.
    const int64_t below = ((k + 1) * kTileSide - left + Vector<T>::kLanes - 1) / Vector<T>::kLanes;
    with_registers(below < kRegisters ? below : kRegisters, [&](auto r) {
      if constexpr (r <= kRegisters)
        project<T, r, kW>(block.tiles + row * stride + k * kTile, stride, rows.end - row,
                          panel + (row - rows.begin) * kTileSide * kW, sums);
    });
    for (int64_t i = 0; i < kTileSide; ++i) {
      T* const to = part + (k * kTileSide + i) * pitch + left;
      for (int64_t r = 0; r < kW; ++r)
        to[r] = add ? to[r] + sums[i * kW + r] : sums[i * kW + r];
    }
  }
}

}  // namespace fanin::FANIN_ISA
