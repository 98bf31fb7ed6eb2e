// Cuts boxes of a global tensor into chunks for many threads, and copies elements between strides.
#pragma once

#include <algorithm>
#include <cstring>

#include "cpu/parallel.hpp"
#include "tensor/region.hpp"

namespace fanin::cpu {

constexpr int64_t kChunk = 16384;  // elements that a thread takes at a time, which takes 10 to 100 µs

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

}  // namespace fanin::cpu
