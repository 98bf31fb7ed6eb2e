// Says how far apart the lines of a matrix begin in a stream that has values for each line.
#pragma once

#include "core/tile.hpp"

namespace fanin {

constexpr int64_t round_up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Short lines share a tile of the stream, and cross none, where elements take 32 bits; longer ones begin on a tile.
constexpr int64_t line_pitch(int64_t length) {
  constexpr int64_t kTile = Tile<false>::kElements;
  if (length > kTile / 2) return round_up_to(length, kTile);
  int64_t pitch = 1;
  while (pitch < length)
    pitch *= 2;
  return pitch;
}

}  // namespace fanin
