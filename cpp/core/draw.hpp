// What is drawn: a distribution in a dtype, from a name's stream under a seed.
#pragma once

#include "core/window.hpp"
#include "tensor/dtype.hpp"

namespace fanin {

enum class Distribution : uint8_t { bits, uniform, normal, truncated_normal };

struct Draw {
  Distribution distribution;
  Dtype dtype;
  uint64_t seed, id;      // Philox key; the name's stream id
  double offset, factor;  // uniform: low, high - low; normal: mean, std
  double least, most;     // what the values of bounded distributions are limited to: bounds rounded inward to the dtype
  Window window;          // truncated normal
};

}  // namespace fanin
