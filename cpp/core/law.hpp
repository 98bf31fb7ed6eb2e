// What makes a distribution's values of words.
#pragma once

#include <cstdint>

#include "core/window.hpp"

namespace fanin {

enum class Distribution : uint8_t { bits, uniform, normal, truncated_normal };

struct Law {
  Distribution distribution;
  double offset, factor;  // uniform: low, high - low; normal: mean, std
  double least, most;     // what the values of bounded distributions are limited to: bounds rounded inward to the dtype
  Window window;          // truncated normal
};

}  // namespace fanin
