// Makes Haar-random orthonormal vectors: any of them, any of their coordinates, into any strided memory.
#pragma once

#include <vector>

#include "cpu/fill.hpp"

namespace fanin::cpu {

// Describes `count` orthonormal vectors of `length` coordinates, of which some are wanted.
struct OrthogonalMatrix {
  uint64_t first;  // flat index of its first reflector's first coordinate in the reflector stream
  int64_t count, length;
  std::vector<Place> vectors;  // number k needs reflectors 0 … k; data is the place of coordinate 0 of the region
};

// Holds what all matrices of a call share.
struct OrthogonalDraw {
  uint64_t seed, id;
  Dtype dtype;
  double gain;
  bool special;  // negate the last vector of a square matrix whose determinant is -1
};

// Says which coordinates of every vector are wanted, by axes whose steps count coordinates and whose strides count
// bytes.
struct Coordinates {
  int64_t first;
  std::vector<Axis> axes;
};

void orthogonal(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix> matrices,
                const std::vector<Coordinates>& where, const Interrupt& interrupt);

}  // namespace fanin::cpu
