// Finds out whether two elements of an array share memory, so that it cannot be written.
#pragma once

#include <cstdint>
#include <vector>

namespace fanin {

// Returns the exact answer, except that it is true for arrays with many interleaved axes, which would take too long to
// find out, and for arrays that span 2^61 bytes or more, which no memory does. There is a stride, in bytes, for every
// axis.
bool overlaps(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, int64_t itemsize);

}  // namespace fanin
