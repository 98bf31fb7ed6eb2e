// The k smallest of many words, found by counting: the words are never sorted, and need not be in memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace fanin {

// A word and, below it, its place: of equal words the one in the lower place is the smaller.
constexpr uint64_t placed(uint32_t word, int64_t place) { return uint64_t(word) << 32 | uint64_t(place); }

// The smallest words: those below `bound`, and those equal to it at the places of `ties`.
struct Cut {
  uint32_t bound = 0;
  std::vector<int64_t> ties;
};

// The number of rank 0, 1, … among different ones, which are put in any order.
inline uint64_t ranked(std::vector<uint64_t>& numbers, int64_t rank) {
  constexpr size_t kCounted = 32;  // of fewer, counting is faster than branches that cannot be predicted
  if (numbers.size() < kCounted) {
    for (const uint64_t x : numbers) {
      int64_t smaller = 0;
      for (const uint64_t y : numbers)
        smaller += y < x;
      if (smaller == rank) return x;
    }
  }
  std::nth_element(numbers.begin(), numbers.begin() + rank, numbers.end());
  return numbers[size_t(rank)];
}

// Finds the `wanted` smallest of `total` words, 1 ≤ wanted ≤ total ≤ 2^32. `scan(low, high)` returns how many words are
// below `low` and puts those in [low, high), each placed, into `found`, which it clears first. Uniform words take two or
// three scans, any words fewer than forty.
template <class Scan>
void find_cut(int64_t total, int64_t wanted, const Scan& scan, std::vector<uint64_t>& found, Cut& cut) {
  constexpr int64_t kFew = 64;
  constexpr int kGuesses = 5;
  // The word sought, the last of those wanted, is in [low, high): `below` words are below low, `until` below high.
  uint64_t low = 0, high = uint64_t(1) << 32;
  int64_t below = 0, until = total;
  for (int pass = 0;; ++pass) {
    const int64_t rank = wanted - below, left = until - below;
    uint64_t from = low, to = high;
    if (left > kFew && high - low > 1) {
      if (pass < kGuesses) {
        // Where uniform words have it: first one bound there, then four standard deviations to either side.
        const double spacing = double(high - low) / double(left);
        const double deviation = std::sqrt(double(rank) * (double(left - rank) / double(left)));
        const double margin = pass == 0 ? 0.0 : 4 * deviation + 4;
        const auto at = [&](double number) {
          return low + uint64_t(std::min(std::max(0.0, number * spacing), double(high - low)));
        };
        from = std::min(at(double(rank) - margin), high - 1);
        to = pass == 0 ? from : std::max(from, at(double(rank) + margin));
      } else {
        from = to = low + (high - low) / 2;
      }
    }
    const int64_t before = scan(uint32_t(from), to), after = before + int64_t(found.size());
    if (wanted <= before) {
      high = from, until = before;
    } else if (wanted > after) {
      low = to, below = after;
    } else {
      const uint64_t last = ranked(found, wanted - before - 1);
      cut.bound = uint32_t(last >> 32);
      cut.ties.clear();
      for (const uint64_t x : found)
        if (x >> 32 == cut.bound && x <= last) cut.ties.push_back(int64_t(x & 0xffffffff));
      return;
    }
  }
}

}  // namespace fanin
