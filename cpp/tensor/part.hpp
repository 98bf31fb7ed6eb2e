// Which elements of which parameter, and where in memory they go or come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dtype.hpp"
#include "queue.hpp"

namespace fanin {

// What one axis of the result takes from the global tensor; an axis indexed away has count 1 and keep false.
struct AxisSlice {
  int64_t start, step, count;
  bool keep = true;
};

// Which elements of which parameter.
struct Part {
  uint64_t seed;
  std::string_view name;  // UTF-8
  Dtype dtype;
  std::vector<int64_t> shape;       // of the global tensor
  std::vector<AxisSlice> box = {};  // one per axis; empty: all of it
};

// Where they go. Strides in bytes, one per axis of the result; empty: C order. With a queue, a GPU computes them: the call then
// returns before they are there, unless the memory is the host's.
struct Output {
  void* data;
  std::vector<int64_t> strides = {};
  std::optional<Queue> queue = {};
};

// Memory that is read, elements in C order. Strides in bytes, one per axis; empty: contiguous.
struct Input {
  const void* data;
  Dtype dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides = {};
};

}  // namespace fanin
