// How far apart the lines of a matrix begin in a stream that has some values for each.
#pragma once

#include <cstdint>

namespace fanin {

constexpr int64_t round_up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Short lines share the stream's tiles of 128 elements, without crossing one; longer ones begin on a tile.
constexpr int64_t line_pitch(int64_t length) {
  if (length > 64) return round_up_to(length, 128);
  int64_t pitch = 1;
  while (pitch < length)
    pitch *= 2;
  return pitch;
}

}  // namespace fanin
