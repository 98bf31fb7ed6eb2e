// Whether an array can be written: strides under which two of its elements share memory.
#pragma once

#include <cstdint>
#include <vector>

namespace fanin {

// Exact, but for arrays of many axes that interleave: where that would take too long to find out, the answer is true. So it is
// where an array spans 2^61 bytes or more, which no memory does. Strides in bytes, one per axis.
bool overlaps(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, int64_t itemsize);

}  // namespace fanin
