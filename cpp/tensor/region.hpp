// Describes boxes of a global tensor in strided memory, and walks them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/target.hpp"

namespace fanin {

struct Axis {
  int64_t count;
  int64_t step;    // from one to the next, in elements of the flattened global tensor
  int64_t stride;  // from one to the next, in bytes of the output
};

// Says what a part takes from one axis of `size` elements, and the axis's byte stride in the output.
struct Taken {
  int64_t start, step, count, stride, size;

  // Returns the place of a coordinate among those that are taken, or -1 if it is not taken.
  FANIN_FN int64_t place_of(int64_t coordinate) const {
    const int64_t from_start = coordinate - start, place = from_start / step;
    return from_start % step == 0 && place >= 0 && place < count ? place : -1;
  }
};

// Holds an index of several axes, flattened in C order, and where it lies in the output.
struct Place {
  int64_t number;
  char* data;
};

struct Region {
  uint64_t first;  // flat global index of the first element
  char* data;      // its place in the output
  std::vector<Axis> axes;
};

// Returns whether a·b is c. A product beyond 64 bits is not.
inline bool is_product(int64_t a, int64_t b, int64_t c) {
  int64_t product;
  return !__builtin_mul_overflow(a, b, &product) && product == c;
}

// Returns whether an axis goes on where all of an inner one ends, both in the tensor and in memory.
inline bool continues(const Axis& outer, const Axis& inner) {
  return is_product(inner.step, inner.count, outer.step) && is_product(inner.stride, inner.count, outer.stride);
}

inline void turn_forward(Region& region) {
  for (auto& axis : region.axes) {
    if (axis.step >= 0) continue;
    region.first += uint64_t(axis.step * (axis.count - 1));
    region.data += axis.stride * (axis.count - 1);
    axis.step = -axis.step, axis.stride = -axis.stride;
  }
}

// Drops axes of one element, and joins neighbours that are contiguous both in the tensor and in memory.
inline void join(Region& region) {
  auto& axes = region.axes;
  axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& a) { return a.count == 1; }), axes.end());
  for (size_t i = axes.size(); i-- > 1;) {
    Axis &outer = axes[i - 1], &inner = axes[i];
    if (!continues(outer, inner)) continue;
    inner.count *= outer.count;
    axes.erase(axes.begin() + long(i) - 1);
  }
  if (axes.empty()) axes.push_back({1, 1, 0});
}

// Turns every axis forward and joins those that can be. The axis with the smallest step in the global tensor comes
// last.
inline void simplify(Region& region) {
  auto& axes = region.axes;
  turn_forward(region);
  std::stable_sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.step > b.step; });
  join(region);
}

inline int64_t elements(const Region& region) {
  int64_t total = 1;
  for (const auto& axis : region.axes)
    total *= axis.count;
  return total;
}

// Walks elements `begin` to `end` of the box, and calls stretch(first, data, count) for each stretch of its innermost
// axis.
template <class Stretch>
void walk(const Region& region, int64_t begin, int64_t end, const Stretch& stretch) {
  const Axis& inner = region.axes.back();
  while (begin < end) {
    int64_t outer = begin / inner.count, offset = begin % inner.count;
    const int64_t n = std::min(end - begin, inner.count - offset);
    uint64_t first = region.first + uint64_t(offset * inner.step);
    char* data = region.data + offset * inner.stride;
    for (size_t i = region.axes.size() - 1; i-- > 0;) {
      const Axis& axis = region.axes[i];
      first += uint64_t(outer % axis.count * axis.step);
      data += outer % axis.count * axis.stride;
      outer /= axis.count;
    }
    stretch(first, data, n);
    begin += n;
  }
}

}  // namespace fanin
