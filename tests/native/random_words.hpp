// SplitMix64 (Steele, Lea, Flood 2014): words for samples, from a generator that is not under test.
#pragma once

#include <cstdint>

namespace check {

struct RandomWords {
  uint64_t state;

  uint64_t operator()() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
};

}  // namespace check
