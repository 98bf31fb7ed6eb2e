// Haar-random orthonormal vectors, any of them, any of their coordinates, into any strided memory.
#pragma once

#include <vector>

#include "cpu/fill.hpp"

namespace fanin::cpu {

// `count` orthonormal vectors of `length` coordinates, of which some are wanted.
struct OrthogonalMatrix {
  uint64_t first;  // flat index of its first reflector's first coordinate in the reflector stream
  int64_t count, length;
  std::vector<Place> vectors;  // number k needs reflectors 0 … k; data is that of coordinate 0 of the region
};

// What every matrix of a call shares.
struct OrthogonalDraw {
  uint64_t seed, id;
  Dtype dtype;
  double gain;
  bool special;  // the last vector of a square matrix is negated where its determinant would be -1
};

// Which coordinates of every vector are wanted: those of axes whose steps count coordinates and whose strides count bytes.
struct Coordinates {
  int64_t first;
  std::vector<Axis> axes;
};

void orthogonal(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix> matrices,
                const std::vector<Coordinates>& where, const Interrupt& interrupt);

}  // namespace fanin::cpu
