// Says which distribution words are turned into, with its parameters.
#pragma once

#include <cstdint>

#include "core/window.hpp"

namespace fanin {

enum class Distribution : uint8_t { bits, uniform, normal, truncated_normal };

struct Law {
  Distribution distribution;
  double offset, factor;  // of a uniform: low, high - low; of a normal: mean, std
  double least, most;     // values of bounded distributions are limited to these bounds, rounded inward to the dtype
  Window window;          // of a truncated normal
};

}  // namespace fanin
