// Finds a thread's place in the global tensor and in the output from its number.
#pragma once

#include "tensor/region.hpp"

namespace fanin::FANIN_ISA {

// A GPU divides 64 bits many times as slowly as 32 bits, which nearly always suffice.
FANIN_FN uint64_t divide(uint64_t n, uint64_t d) { return (n | d) >> 32 ? n / d : uint32_t(n) / uint32_t(d); }

constexpr int kMostAxes = 8;

// Holds the axes of a region as plain data. Positions are numbered; the last axis changes fastest.
struct Box {
  uint64_t first;  // flat global index at position 0
  char* data;      // its place in the output
  int axes = 0;
  uint64_t count[kMostAxes];
  int64_t step[kMostAxes], stride[kMostAxes];

  Box(const Region& region, size_t axes_used) : first(region.first), data(region.data), axes(int(axes_used)) {
    for (size_t i = 0; i < axes_used; ++i) {
      const Axis& axis = region.axes[i];
      count[i] = uint64_t(axis.count), step[i] = axis.step, stride[i] = axis.stride;
    }
  }

  uint64_t positions() const {
    uint64_t product = 1;
    for (int i = 0; i < axes; ++i)
      product *= count[i];
    return product;
  }

  FANIN_FN void at(uint64_t position, uint64_t& index, char*& place) const {
    index = first, place = data;
    if (axes == 0) return;
    FANIN_NO_UNROLL
    for (int i = axes - 1; i > 0; --i) {
      const uint64_t next = divide(position, count[i]), rest = position - next * count[i];
      index += rest * uint64_t(step[i]);
      place += int64_t(rest) * stride[i];
      position = next;
    }
    index += position * uint64_t(step[0]);  // the outermost axis takes what is left
    place += int64_t(position) * stride[0];
  }
};

}  // namespace fanin::FANIN_ISA
