// The reflector kernels: one source, compiled once for every instruction set.
#include "cpu/reflectors.hpp"

#include <cstring>
#include <type_traits>

#include "core/reflector.hpp"
#include "core/rounding.hpp"
#include "cpu/lanes.hpp"
#include "cpu/transpose.hpp"

namespace fanin::FANIN_ISA {
namespace {

using L = Lanes;

template <class T>
struct Vector;
template <>
struct Vector<float> {
  using Type = L::F32;
  static constexpr int kLanes = L::kLanes32;
};
template <>
struct Vector<double> {
  using Type = L::F64;
  static constexpr int kLanes = L::kLanes64;
};

template <class T, int kRegisters>
constexpr int64_t kWidth = kRegisters* Vector<T>::kLanes;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRows = 8;  // 24 of 32 registers accumulate
#else
constexpr int kRows = 4;  // 12 of 16
#endif

// sums[k][r] += Σ_c tile(c, k)·panel[c][r] for the 8 reflectors of a column of tiles: one ascending chain from 0 over at
// most a segment's coordinates.
template <class T, int kRegisters>
FANIN_FN void project(const T* tiles, int64_t stride, int64_t count, const T* panel, T* sums) {
  using V = typename Vector<T>::Type;
  constexpr int kLanes = Vector<T>::kLanes;
  for (int part = 0; part < kTileSide; part += kRows) {
    V sum[kRows][kRegisters] = {};
    const T* tile = tiles + part;
    const T* p = panel;
    for (int64_t t = 0; t < count; ++t, tile += stride, p += kTileSide * kWidth<T, kRegisters>) {
      FANIN_UNROLL
      for (int c = 0; c < kTileSide; ++c) {
        V q[kRegisters];
        FANIN_UNROLL
        for (int r = 0; r < kRegisters; ++r)
          q[r] = L::load<V>(p + c * kWidth<T, kRegisters> + r * kLanes);
        FANIN_UNROLL
        for (int k = 0; k < kRows; ++k) {
          const V v = L::splat(tile[c * kTileSide + k]);
          FANIN_UNROLL
          for (int r = 0; r < kRegisters; ++r)
            sum[k][r] = L::fma(v, q[r], sum[k][r]);
        }
      }
    }
    T* w = sums + part * kWidth<T, kRegisters>;
    FANIN_UNROLL
    for (int k = 0; k < kRows; ++k) {
      FANIN_UNROLL
      for (int r = 0; r < kRegisters; ++r, w += kLanes)
        L::store(w, L::load<V>(w) + sum[k][r]);
    }
  }
}

// panel[c][r] += Σ_k tile(c, k)·x[k][r] for the 8 coordinates of a row of tiles: one ascending chain from panel[c][r].
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

// The tiles of the block that lie in a segment, as rows [begin, end), and the segment's first coordinate among them.
struct Rows {
  int64_t begin, end;
};
template <class T>
Rows rows_of(const ReflectorBlock<T>& block, int64_t segment, int64_t extent) {
  const int64_t first = (block.first_segment() + segment) * kSegment, last = first + kSegment;
  const int64_t begin = first > block.start ? first : block.start, end = last < extent ? last : extent;
  return {(begin - block.start) / kTileSide,
          end <= begin ? (begin - block.start) / kTileSide : (end - block.start + kTileSide - 1) / kTileSide};
}

// A tile above the diagonal is 0, as is what the reflectors behind the last vector's own do to it: both are left out.
template <class T, int kRegisters>
__attribute__((noinline)) void apply_to(const ReflectorBlock<T>& block, const Panel<T>& panel) {
  constexpr int64_t kW = kWidth<T, kRegisters>, kTile = kTileSide * kTileSide;
  alignas(64) T w[kMostReflectors * kW];
  const int64_t all = block.tile_columns(), needed = (panel.last - block.start) / kTileSide + 1;
  const int64_t columns = needed < all ? needed : all, stride = all * kTile;
  memset(w, 0, size_t(columns * kTileSide * kW) * sizeof(T));
  T* const data = panel.data + block.start * kW;
  for (int64_t segment = 0; segment < block.segments(); ++segment) {
    const Rows rows = rows_of(block, segment, panel.extent);
    if (rows.begin == rows.end) break;
    for (int64_t k = 0; k < columns; ++k) {
      const int64_t begin = k > rows.begin ? k : rows.begin;
      if (begin < rows.end)
        project<T, kRegisters>(block.tiles + begin * stride + k * kTile, stride, rows.end - begin,
                               data + begin * kTileSide * kW, w + k * kTileSide * kW);
    }
  }
  solve<T, kRegisters>(block, columns * kTileSide, w);
  for (int64_t c = 0; c < block.tile_rows(); ++c)
    update<T, kRegisters>(block.tiles + c * stride, c < columns ? c + 1 : columns, w, data + c * kTileSide * kW);
}

template <class T>
void apply(const ReflectorBlock<T>& block, const Panel<T>& panel) {
  switch (panel.registers) {
    case 1: return apply_to<T, 1>(block, panel);
    case 2: return apply_to<T, 2>(block, panel);
    default: return apply_to<T, 3>(block, panel);
  }
}

// One segment's part of VVᵀ, of which panels hold the columns [left, left + width).
template <class T, int kRegisters>
FANIN_FN void gram_columns(const ReflectorBlock<T>& block, const Rows& rows, int64_t left, T* part) {
  constexpr int64_t kW = kWidth<T, kRegisters>, kPiece = 4;
  static_assert(kW % kPiece == 0, "pieces of a tile's row make up a panel's");
  alignas(64) T panel[kSegment * kW];
  const int64_t pitch = block.gram_pitch(), columns = block.tile_columns(), stride = columns * kTileSide * kTileSide;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    T* p = panel + (row - rows.begin) * kTileSide * kW;
    FANIN_UNROLL
    for (int64_t k = 0; k < kW; k += kPiece, p += kPiece) {
      const int64_t column = (left + k) / kTileSide;
      const T* const tile = block.tiles + row * stride + column * kTileSide * kTileSide + (left + k) % kTileSide;
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
    const int64_t begin = k > rows.begin ? k : rows.begin;
    project<T, kRegisters>(block.tiles + begin * stride + k * kTileSide * kTileSide, stride, rows.end - begin,
                           panel + (begin - rows.begin) * kTileSide * kW, sums);
    for (int64_t i = 0; i < kTileSide; ++i)
      memcpy(part + (k * kTileSide + i) * pitch + left, sums + i * kW, size_t(kW) * sizeof(T));
  }
}

template <class T>
void gram(const ReflectorBlock<T>& block, int64_t segment) {
  constexpr int64_t kLanes = Vector<T>::kLanes;
  const Rows rows = rows_of(block, segment, block.length);
  T* const part = block.partial + segment * block.gram_elements();
  // As many registers at once as leave a multiple of 4 columns.
  int64_t left = 0;
  for (int64_t registers; left < block.gram_pitch(); left += registers * kLanes) {
    registers = (block.gram_pitch() - left) / kLanes;
    registers = registers >= 5 || registers == 3 ? 3 : registers >= 2 ? 2 : 1;
    if constexpr (kLanes == 2) registers = 2;
    if constexpr (kLanes > 2) {
      if (registers == 3) gram_columns<T, 3>(block, rows, left, part);
      if (registers == 1) gram_columns<T, 1>(block, rows, left, part);
    }
    if (registers == 2) gram_columns<T, 2>(block, rows, left, part);
  }
}

constexpr int64_t kChains = 32;  // of a sum of squares

// Σ x² over a segment, in float64: ascending chains, by coordinate mod 32, added by halves.
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

// A tile's 8 × 8 elements, of rows kSegment apart.
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

template <class T>
void draw(const ReflectorBlock<T>& block, int64_t column) {
  constexpr int64_t kDrawTile = sizeof(T) == 4 ? 128 : 64;
  constexpr int64_t kShort = 128;  // reflectors that are drawn together
  alignas(64) T rows[kTileSide][kSegment], drawn[kTileSide * kShort];
  const bool together = block.pitch <= kShort;
  double rest[kTileSide] = {};
  const int64_t stride = block.tile_columns() * kTileSide * kTileSide;
  const int64_t first = block.start + column * kTileSide, end = round_up_to(block.length, kTileSide);
  const int64_t left = block.count - column * kTileSide, live = left < kTileSide ? left : kTileSide;
  T heads[kTileSide];
  T* const tiles = block.tiles + column * kTileSide * kTileSide;
  for (int64_t r = live; r < kTileSide; ++r)
    memset(rows[r], 0, sizeof rows[r]);
  if (together)
    kernels.run(block.draw, block.first + uint64_t(first * block.pitch), uint64_t(live * block.pitch), drawn);
  for (int64_t segment = block.start / kSegment * kSegment; segment < block.length; segment += kSegment) {
    const int64_t stop = segment + kSegment < end ? segment + kSegment : end;
    const int64_t from = segment > block.start ? segment : block.start;
    for (int64_t r = 0; r < live; ++r) {
      const int64_t k = first + r;
      T* const x = rows[r];
      const int64_t begin = k > from ? k : from, whole = begin / kDrawTile * kDrawTile;
      const int64_t last = stop < block.length ? stop : block.length;
      if (together)
        memcpy(x + begin, drawn + r * block.pitch + begin, size_t(last - begin) * sizeof(T));
      else
        kernels.run(block.draw, block.first + uint64_t(k * block.pitch + whole), uint64_t(last - whole),
                    x + whole - segment);
      memset(x + from - segment, 0, size_t(begin - from) * sizeof(T));
      memset(x + last - segment, 0, size_t(round_up_to(last, kChains) - last) * sizeof(T));
      if (k >= segment) {
        heads[r] = x[k - segment];
        x[k - segment] = 0;
      }
      rest[r] += squares(x, begin - segment, last - segment);
    }
    for (int64_t c = from; c < stop; c += kTileSide)
      transpose_tile(rows[0] + c - segment, tiles + (c - block.start) / kTileSide * stride);
  }
  for (int64_t r = 0; r < live; ++r) {
    const Reflector<T> reflector = make_reflector<T>(heads[r], rest[r]);
    const int64_t k = column * kTileSide + r;
    tiles[column * stride + r * kTileSide + r] = reflector.head;
    block.sign[k] = reflector.sign;
    block.half[k] = reflector.half;
  }
  for (int64_t r = live; r < kTileSide; ++r)
    block.half[column * kTileSide + r] = 1;  // of nothing: what it divides is 0
}

// How a register of values is stored as a dtype, and one value.
template <class T, Dtype dtype>
struct Stored {
  static constexpr auto kSize = int64_t(itemsize(dtype));
  template <class V>
  static FANIN_FN void store(char* p, V v) {
    if constexpr (dtype == Dtype::bfloat16) {
      L::store_upper_halves(reinterpret_cast<uint16_t*>(p), round_to_bfloat16<L>(v));
    } else if constexpr (dtype == Dtype::float16) {
      L::store_float16(reinterpret_cast<uint16_t*>(p), v);
    } else {
      L::store(p, v);
    }
  }
  static FANIN_FN void store_one(char* p, T v) {
    typename Vector<T>::Type x{};
    x[0] = v;
    char all[sizeof x];
    store(all, x);
    memcpy(p, all, size_t(kSize));
  }
};

template <class T, Dtype dtype>
void write_as(const Panel<T>& panel, const Destination& to) {
  using V = typename Vector<T>::Type;
  using S = Stored<T, dtype>;
  constexpr int64_t kLanes = Vector<T>::kLanes;
  const int64_t width = panel.registers * kLanes;
  const T gain = T(to.gain);
  const auto element = [&](int64_t i, int64_t r) {
    S::store_one(to.rows[r] + i * to.stride, gain * panel.data[(to.first + i * to.step) * width + r]);
  };
  bool together = true;  // neighbouring vectors, as in a matrix of orthonormal columns
  for (int64_t r = 1; r < to.row_count; ++r)
    together = together && to.rows[r] - to.rows[r - 1] == S::kSize;
  const bool along = to.step == 1 && to.stride == S::kSize;  // neighbouring coordinates
  const int64_t whole_coordinates = along ? to.count / kLanes * kLanes : 0;
  const int64_t whole_vectors = together ? to.row_count / kLanes * kLanes : 0;
  if (whole_vectors > 0) {
    for (int64_t i = 0; i < to.count; ++i) {
      const T* const p = panel.data + (to.first + i * to.step) * width;
      for (int64_t r = 0; r < whole_vectors; r += kLanes)
        S::store(to.rows[r] + i * to.stride, L::load<V>(p + r) * gain);
      for (int64_t r = whole_vectors; r < to.row_count; ++r)
        element(i, r);
    }
    return;
  }
  for (int64_t i = 0; i < whole_coordinates; i += kLanes) {
    for (int64_t left = 0; left < to.row_count; left += kLanes) {
      V x[kLanes];
      FANIN_UNROLL
      for (int64_t k = 0; k < kLanes; ++k)
        x[k] = L::load<V>(panel.data + (to.first + i + k) * width + left) * gain;
      transpose<V, kLanes>(x);
      for (int64_t k = 0; k < kLanes && left + k < to.row_count; ++k)
        S::store(to.rows[left + k] + i * S::kSize, x[k]);
    }
  }
  for (int64_t i = whole_coordinates; i < to.count; ++i)
    for (int64_t r = 0; r < to.row_count; ++r)
      element(i, r);
}

template <class T>
void write(const Panel<T>& panel, const Destination& to) {
  if constexpr (sizeof(T) == 8) {
    write_as<T, Dtype::float64>(panel, to);
  } else {
    if (to.dtype == Dtype::float16) return write_as<T, Dtype::float16>(panel, to);
    if (to.dtype == Dtype::bfloat16) return write_as<T, Dtype::bfloat16>(panel, to);
    write_as<T, Dtype::float32>(panel, to);
  }
}

template <class T>
constexpr ReflectorKernels<T> table() {
  return {Vector<T>::kLanes, draw<T>, gram<T>, apply<T>, write<T>};
}

}  // namespace

extern const OrthogonalKernels orthogonal_kernels;
const OrthogonalKernels orthogonal_kernels = {table<float>(), table<double>()};

}  // namespace fanin::FANIN_ISA
