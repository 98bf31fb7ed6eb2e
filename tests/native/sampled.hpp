// Transforms of more bits than can be tried one by one, on random words.
#pragma once

#include "transforms.hpp"

namespace check {

// Prints every transform's largest error; false if one exceeds its limit. One word in `stride` of the full sample.
bool sampled(const fanin::Transforms& transforms, uint64_t stride);

}  // namespace check
