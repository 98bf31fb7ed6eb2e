// What one reading of an array tells.
#pragma once

#include <cstdint>

namespace fanin {

// Mean to maximum are those of the finite values, and NaN where there are none.
struct Statistics {
  uint64_t count = 0, finite = 0, nans = 0, infinities = 0, zeros = 0;
  double mean, deviation, minimum, maximum;
  uint64_t hash = 0;  // of the bits of all elements in order
};

}  // namespace fanin
