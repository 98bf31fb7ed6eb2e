// Blocks of Householder reflectors and what is done with them, as plain functions over plain data, one set for each
// instruction set and compute type. docs/stream-v1.md §6 fixes every order of summation.
#pragma once

#include "cpu/kernels.hpp"
#include "tensor/pitch.hpp"

namespace fanin {

constexpr int64_t kTileSide = 8;         // reflectors and coordinates are kept in tiles of 8 × 8
constexpr int64_t kSegment = 512;        // coordinates summed in one chain
constexpr int64_t kMostReflectors = 64;  // a block
constexpr int64_t kGramMultiple = 16;    // a register of any instruction set divides it

// Reflectors start … start + count - 1 of one matrix, of which the window of coordinates from … to - 1 is in memory. A window
// begins at `start` or at a segment, and ends with a segment or the length.
template <class T>
struct ReflectorBlock {
  Draw draw;             // N(0, 1) of the name's reflector stream
  uint64_t first;        // flat index of the matrix's first reflector in that stream
  int64_t pitch;         // elements of the stream a reflector
  int64_t start, count;  // reflectors
  int64_t length;        // coordinates of the matrix, from 0
  int64_t from, to;      // the window
  T* tiles;              // tile (c / 8, k / 8) of coordinates × reflectors, each as 8 coordinates of 8 reflectors
  double* rest;          // sum of squares below the diagonal
  T* head;               // v_kk
  T* sign;               // of the start vectors: -sign(x_kk), which makes the diagonal of R positive
  T* half;               // ‖v‖²/2 of every reflector
  T* gram;               // VVᵀ below its diagonal, in rows of gram_pitch()

  int64_t tile_rows() const { return round_up_to(to - from, kTileSide) / kTileSide; }
  int64_t tile_columns() const { return round_up_to(count, kTileSide) / kTileSide; }
  int64_t gram_pitch() const { return round_up_to(count, kGramMultiple); }
  int64_t gram_elements() const { return tile_columns() * kTileSide * gram_pitch(); }
};

// A group of vectors, coordinate by coordinate: element r of coordinate c is at [(c - from)·width + r], where the width is
// that of 1, 2 or 3 registers.
template <class T>
struct Panel {
  T* data;
  int64_t from;
  int64_t registers;
  int64_t last;    // the reflector that the last vector needs
  int64_t extent;  // coordinates from here on are still 0
};

// Registers of a panel of the reflectors themselves, for `columns` of a Gram matrix: `most` at most, a multiple of 4 columns,
// and no single register that could have been one of a pair.
constexpr int64_t gram_registers(int64_t columns, int64_t lanes, int64_t most) {
  const int64_t left = columns / lanes;
  return lanes == 2 ? 2 : most == 3 && (left >= 5 || left == 3) ? 3 : left >= 2 ? 2 : 1;
}

// Where a panel goes: vector r begins at rows[r]; coordinates are `count` from `first`, `step` apart, `stride` bytes apart.
struct Destination {
  Dtype dtype;
  double gain;
  char* const* rows;
  int64_t row_count;
  int64_t first, step, count, stride;
};

template <class T>
struct ReflectorKernels {
  int64_t lanes;      // a register
  int64_t registers;  // a panel at most
  int64_t streamed;   // a panel at most that only `update` works on
  // One column of tiles, unless only the sums are wanted; with the sums of squares and what follows from them, or with the
  // heads known before.
  void (*draw)(const ReflectorBlock<T>&, int64_t column, bool sum, bool keep);
  // A segment's part of `registers` columns of VVᵀ from `left` on, a multiple of 4: stored in `part`, or added to it.
  void (*gram)(const ReflectorBlock<T>&, int64_t segment, int64_t left, int64_t registers, T* part, bool add);
  // The whole block to a panel from coordinate 0.
  void (*apply)(const ReflectorBlock<T>&, const Panel<T>&);
  // From a panel's products w with the reflectors to their coefficients, in place; and their sum into a segment.
  void (*solve)(const ReflectorBlock<T>&, const Panel<T>&, T* w);
  void (*update)(const ReflectorBlock<T>&, const Panel<T>&, int64_t segment, const T* w);
  void (*write)(const Panel<T>&, const Destination&);
};

struct OrthogonalKernels {
  ReflectorKernels<float> single;
  ReflectorKernels<double> twice;
};

}  // namespace fanin
