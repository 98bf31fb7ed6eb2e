// Says which elements of which parameter are meant, and where in memory they go or come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "dtype.hpp"
#include "queue.hpp"

namespace fanin {

// Says what is taken from one axis of the global tensor. An axis that an integer indexes has count 1, and keep is
// false.
struct AxisSlice {
  int64_t start, step, count;
  bool keep = true;
};

// Says which elements of which parameter are wanted.
struct Part {
  uint64_t seed;
  std::string_view name;  // UTF-8
  Dtype dtype;
  std::vector<int64_t> shape;       // of the global tensor
  std::vector<AxisSlice> box = {};  // has an entry for every axis; empty stands for all of the tensor
};

// Says where the elements go. There is a stride, in bytes, for every axis of the result; no strides stand for C order.
// With a queue, a GPU computes them, and the call returns before they are there, unless the memory is the host's.
struct Output {
  void* data;
  std::vector<int64_t> strides = {};
  std::optional<Queue> queue = {};
};

// Describes memory that is read, its elements in C order. There is a stride, in bytes, for every axis; no strides stand
// for contiguous memory.
struct Input {
  const void* data;
  Dtype dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides = {};
};

}  // namespace fanin
