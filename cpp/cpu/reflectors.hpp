// Describes blocks of Householder reflectors, and the plain functions on them: a set for each instruction set and
// compute type. docs/stream-v1.md §6 fixes every order of summation.
#pragma once

#include "cpu/kernels.hpp"
#include "tensor/pitch.hpp"

namespace fanin {

constexpr int64_t kTileSide = 8;         // reflectors and coordinates are kept in tiles of 8 × 8
constexpr int64_t kSegment = 512;        // coordinates that are summed in one chain
constexpr int64_t kMostReflectors = 64;  // in a block
constexpr int64_t kGramMultiple = 16;    // a multiple of the lanes in a register of any instruction set

// Describes reflectors start … start + count - 1 of one matrix, whose coordinates from … to - 1, the window, are in
// memory. A window begins at `start` or at a segment, and ends with a segment or at the length.
template <class T>
struct ReflectorBlock {
  Draw draw;             // N(0, 1) of the name's reflector stream
  uint64_t first;        // flat index of the matrix's first reflector in that stream
  int64_t pitch;         // elements of the stream for each reflector
  int64_t start, count;  // reflectors
  int64_t length;        // coordinates of the matrix, from 0
  int64_t from, to;      // the window
  T* tiles;              // tile (c / 8, k / 8) of coordinates × reflectors, each as 8 coordinates of 8 reflectors
  double* rest;          // the sum of squares below the diagonal, for each reflector
  T* head;               // v_kk
  T* sign;               // the signs of the start vectors: -sign(x_kk), which makes the diagonal of R positive
  T* half;               // ‖v‖²/2 of every reflector
  T* gram;               // VVᵀ below its diagonal, in rows of gram_pitch()

  int64_t tile_rows() const { return round_up_to(to - from, kTileSide) / kTileSide; }
  int64_t tile_columns() const { return round_up_to(count, kTileSide) / kTileSide; }
  int64_t gram_pitch() const { return round_up_to(count, kGramMultiple); }
  int64_t gram_elements() const { return tile_columns() * kTileSide * gram_pitch(); }
};

// Holds a group of vectors, coordinate by coordinate: coordinate c of vector r is at [(c - from)·width + r], where the
// width is that of 1, 2 or 3 registers.
template <class T>
struct Panel {
  T* data;
  int64_t from;
  int64_t registers;
  int64_t last;    // the reflector that the last vector needs
  int64_t extent;  // coordinates from here on are still 0
};

// Returns the number of registers of a panel of the reflectors themselves, for `columns` of a Gram matrix: at most
// `most`, for a multiple of 4 columns, and not one where two would have fitted.
constexpr int64_t gram_registers(int64_t columns, int64_t lanes, int64_t most) {
  const int64_t left = columns / lanes;
  return lanes == 2 ? 2 : most == 3 && (left >= 5 || left == 3) ? 3 : left >= 2 ? 2 : 1;
}

// Says where a panel is stored: vector r begins at rows[r]. Coordinates are `count` from `first` on, `step` apart, and
// lie `stride` bytes apart.
struct Destination {
  Dtype dtype;
  double gain;
  char* const* rows;
  int64_t row_count;
  int64_t first, step, count, stride;
};

template <class T>
struct ReflectorKernels {
  int64_t lanes;      // in a register
  int64_t registers;  // in a panel, at most
  int64_t streamed;   // in a panel that only `update` works on, at most
  // Draws one column of tiles with `keep`; computes sums of squares, and what follows from them, with `sum`, or else
  // takes the heads that are known.
  void (*draw)(const ReflectorBlock<T>&, int64_t column, bool sum, bool keep);
  // Computes a segment's part of `registers` columns of VVᵀ from `left` on, a multiple of 4; stores it in `part`, or
  // adds it.
  void (*gram)(const ReflectorBlock<T>&, int64_t segment, int64_t left, int64_t registers, T* part, bool add);
  // Applies the whole block to a panel that begins at coordinate 0.
  void (*apply)(const ReflectorBlock<T>&, const Panel<T>&);
  // Turns a panel's products w with the reflectors into their coefficients, in place.
  void (*solve)(const ReflectorBlock<T>&, const Panel<T>&, T* w);
  // Adds a segment of the reflectors, each times its coefficient in w, to the panel.
  void (*update)(const ReflectorBlock<T>&, const Panel<T>&, int64_t segment, const T* w);
  void (*write)(const Panel<T>&, const Destination&);
};

struct OrthogonalKernels {
  ReflectorKernels<float> single;
  ReflectorKernels<double> twice;
};

}  // namespace fanin
