// Finds the k smallest of many words by counting: the words are never sorted, and need not be in memory.
#pragma once

#include <cstdint>

#include "core/target.hpp"

namespace fanin {

// Describes the smallest words: those below `bound`, and the first `ties` of those equal to it.
struct Cut {
  uint32_t bound;
  int64_t ties;
};

// Finds the `wanted` smallest of `total` words, 1 ≤ wanted < total; `below(bound)` counts those below a bound. It first
// tries where the bound of uniform words would be: thousands of these take about five counts, and any words fewer than
// forty.
template <class Below>
FANIN_FN Cut find_cut(int64_t total, int64_t wanted, const Below& below) {
  constexpr int kGuesses = 7;
  // The largest of the wanted words is in [low, high); `under` words are below low, and `until` below high.
  uint64_t low = 0, high = uint64_t(1) << 32;
  int64_t under = 0, until = total;
  for (int count = 0; high - low > 1; ++count) {
    uint64_t middle = low + (high - low) / 2;
    if (count < kGuesses) {
      const double part = (double(wanted - under) + 0.5) / (double(until - under) + 1.0);
      middle = low + uint64_t(part * double(high - low));
      middle = middle <= low ? low + 1 : middle >= high ? high - 1 : middle;
    }
    const int64_t found = below(uint32_t(middle));
    if (found == wanted) return {uint32_t(middle), 0};
    if (found < wanted)
      low = middle, under = found;
    else
      high = middle, until = found;
  }
  return {uint32_t(low), wanted - under};
}

}  // namespace fanin
