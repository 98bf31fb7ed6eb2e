// A draw says what is drawn: values of a law, in a dtype, from a name's stream under a seed.
#pragma once

#include "core/law.hpp"
#include "core/tile.hpp"
#include "tensor/dtype.hpp"

namespace fanin {

struct Draw : Law {
  Dtype dtype;
  uint64_t seed, id;  // Philox key; the name's stream id
};

constexpr uint64_t tile_elements(Dtype d) { return is_wide(d) ? Tile<true>::kElements : Tile<false>::kElements; }

}  // namespace fanin
