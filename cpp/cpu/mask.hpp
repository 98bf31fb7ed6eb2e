// Says which elements of a box are kept, with one bit for each.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fanin::cpu {

// In the order of the flattened tensor, the box consists of rows of `row` elements: element c of row r has bit c % 64
// of words[r·row_step + c / 64·block_step].
struct Mask {
  const uint64_t* words;
  int64_t row, row_step, block_step;

  // Reads the bits of elements begin … begin + count - 1, from the lowest of `bits` on.
  void read(int64_t begin, int64_t count, uint64_t* bits) const {
    int64_t r = begin / row, c = begin % row;
    for (int64_t done = 0; done < count;) {
      const int64_t n = std::min({64 - c % 64, row - c, count - done}), at = done % 64;
      const uint64_t word = words[r * row_step + c / 64 * block_step] >> c % 64 & ~uint64_t(0) >> (64 - n);
      uint64_t* const to = bits + done / 64;
      *to = at == 0 ? word : *to | word << at;
      if (at + n > 64) to[1] = word >> (64 - at);
      done += n, c += n;
      if (c == row) c = 0, ++r;
    }
  }
};

}  // namespace fanin::cpu
