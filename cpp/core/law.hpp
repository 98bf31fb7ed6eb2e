// Says which distribution words are turned into, with its parameters.
#pragma once

#include <cstdint>

#include "core/window.hpp"

namespace fanin {

enum class Distribution : uint8_t { bits, uniform, normal, truncated_normal };

struct Law {
  Distribution distribution;
  double offset, factor;  // uniform: low, high - low; normal: mean, std
  double least, most;     // bounded distributions: the bounds rounded inward to the dtype, to which values are limited
  Window window;          // truncated normal
};

}  // namespace fanin
