// Reads from a layout which axes of a weight are outputs, inputs, spatial axes and batches.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/refuse.hpp"

namespace fanin {

constexpr size_t kMostAxes = 64;  // that a weight with a layout may have

using AxisSet = uint64_t;  // bit i is axis i

// Batch axes number the matrices, and the other axes make them up.
struct Axes {
  AxisSet outs = 0, ins = 0, spatial = 0, batch = 0;

  // Returns the axes that make up the columns of a matrix, flattened in C order: all but outputs and batches.
  AxisSet columns() const { return ins | spatial; }
};

// Reads "OI", which is (out, in, *spatial), "IO", which is (*spatial, in, out), or a letter for each of `rank` axes.
inline Axes axes_of(std::string_view layout, size_t rank) {
  constexpr std::string_view kSpatial = "XYZHWDT";
  if (rank > kMostAxes) refuse("shape must have at most ", kMostAxes, " dimensions, got ", rank);
  const auto bit = [](size_t axis) { return AxisSet(1) << axis; };
  Axes axes;
  if (layout == "OI" || layout == "IO") {
    if (rank < 2) refuse("shape must have at least 2 dimensions, out and in, got ", rank);
    axes.outs = bit(layout == "OI" ? 0 : rank - 1), axes.ins = bit(layout == "OI" ? 1 : rank - 2);
    for (size_t i = 0; i < rank; ++i)
      axes.spatial |= bit(i) & ~(axes.outs | axes.ins);
    return axes;
  }
  bool known = layout.size() == rank;
  for (size_t i = 0; known && i < rank; ++i) {
    const char letter = layout[i];
    known = letter == 'O' || letter == 'I' || letter == 'B' || kSpatial.find(letter) != std::string_view::npos;
    (letter == 'O' ? axes.outs : letter == 'I' ? axes.ins : letter == 'B' ? axes.batch : axes.spatial) |= bit(i);
  }
  if (!known || axes.outs == 0)
    refuse("layout must be \"OI\", \"IO\", or a letter for each of the ", rank,
           " axes of shape: O output, at least once, I input, X, Y, Z, H, W, D or T spatial, B batch; got \"", layout,
           "\"");
  return axes;
}

// Takes the entries of some axes, in their order, from a list that has one for every axis.
template <class T>
std::vector<T> of_axes(AxisSet axes, const std::vector<T>& all) {
  std::vector<T> some;
  some.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i)
    if (axes >> i & 1) some.push_back(all[i]);
  return some;
}

// Multiplies the sizes of some axes of a shape.
inline int64_t size_of(AxisSet axes, const std::vector<int64_t>& shape) {
  int64_t product = 1;
  for (size_t i = 0; i < shape.size(); ++i)
    if (axes >> i & 1) product *= shape[i];
  return product;
}

}  // namespace fanin
