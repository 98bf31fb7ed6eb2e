// Boxes of a global tensor in strided memory, and how they are walked.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "cpu/parallel.hpp"

namespace fanin {

struct Axis {
  int64_t count;
  int64_t step;    // between neighbours, in elements of the flattened global tensor
  int64_t stride;  // between neighbours, in bytes of the output
};

struct Region {
  uint64_t first;  // flat global index of the first element
  char* data;      // its place in the output
  std::vector<Axis> axes;
};

constexpr int64_t kChunk = 16384;  // elements a thread takes at a time: 10 to 100 µs

inline void turn_forward(Region& region) {
  for (auto& axis : region.axes) {
    if (axis.step >= 0) continue;
    region.first += uint64_t(axis.step * (axis.count - 1));
    region.data += axis.stride * (axis.count - 1);
    axis.step = -axis.step, axis.stride = -axis.stride;
  }
}

// Turns every axis forward, drops those of one element and joins neighbours that are contiguous on both sides. The axis
// that walks the global tensor in the smallest steps comes last.
inline void simplify(Region& region) {
  auto& axes = region.axes;
  turn_forward(region);
  axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& a) { return a.count == 1; }), axes.end());
  std::stable_sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.step > b.step; });
  for (size_t i = axes.size(); i-- > 1;) {
    Axis &outer = axes[i - 1], &inner = axes[i];
    if (outer.step != inner.step * inner.count || outer.stride != inner.stride * inner.count) continue;
    inner.count *= outer.count;
    axes.erase(axes.begin() + long(i) - 1);
  }
  if (axes.empty()) axes.push_back({1, 1, 0});
}

inline int64_t elements(const Region& region) {
  int64_t total = 1;
  for (const auto& axis : region.axes)
    total *= axis.count;
  return total;
}

// Walks the box in stretches of its innermost axis; stretch(first, data, count) is called for each.
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

// Splits the box into chunks and calls chunk(begin, end), in elements of the box, for each.
template <class Chunk>
void in_chunks(const Region& region, const Interrupt& interrupt, int64_t alignment, const Chunk& chunk) {
  const int64_t total = elements(region);
  if (total == 0) return;
  // The first chunk is shortened so that the others begin on a tile.
  const bool flat = region.axes.size() == 1 && region.axes[0].step == 1;
  const int64_t lead = flat ? int64_t(region.first % uint64_t(alignment)) : 0;
  const auto chunks = uint64_t((total + lead + kChunk - 1) / kChunk);
  parallel_chunks(chunks, total < 2 * kChunk, interrupt, [&](uint64_t number) {
    const int64_t begin = int64_t(number) * kChunk - lead;
    chunk(std::max<int64_t>(begin, 0), std::min(begin + kChunk, total));
  });
}

// Copies elements between strides, in units of T.
template <class T>
void scatter_as(const char* source, int64_t source_stride, char* target, int64_t stride, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    memcpy(target + i * stride, source + i * source_stride, sizeof(T));
}

inline void scatter(size_t size, const char* source, int64_t source_stride, char* target, int64_t stride,
                    int64_t count) {
  if (size == 2) return scatter_as<uint16_t>(source, source_stride, target, stride, count);
  if (size == 4) return scatter_as<uint32_t>(source, source_stride, target, stride, count);
  scatter_as<uint64_t>(source, source_stride, target, stride, count);
}

}  // namespace fanin
