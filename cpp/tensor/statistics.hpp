// Holds the statistics of an array.
#pragma once

#include <cstdint>

namespace fanin {

// Mean, deviation, minimum and maximum are of the finite values alone; they are NaN if there are none.
struct Statistics {
  uint64_t count = 0, finite = 0, nans = 0, infinities = 0, zeros = 0;
  double mean, deviation, minimum, maximum;
  uint64_t hash = 0;  // covers the bits of all elements, in order
};

}  // namespace fanin
