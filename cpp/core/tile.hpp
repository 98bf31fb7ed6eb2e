// Defines the stream's geometry: docs/stream-v1.md §3. A name's Philox blocks, of four words each, are taken in tiles
// of 32. Element 32·k + b of a tile is word k of block b or, where elements have 64 random bits, half k.
#pragma once

#include "core/target.hpp"

namespace fanin {

constexpr int kTileBlocks = 32, kTileBlocksLog2 = 5;

template <bool kWide>  // whether an element has 64 random bits; else it has 32
struct Tile {
  static constexpr int kWords = kWide ? 2 : 4, kWordsLog2 = kWide ? 1 : 2;  // elements of a block, kTileBlocks apart
  static constexpr uint64_t kElements = kWords * kTileBlocks;

  // These return which block makes the element of a flat index, and by which word or half; for one or for a register.
  template <class U64>
  static FANIN_FN U64 block(U64 index) {
    return ((index >> (kTileBlocksLog2 + kWordsLog2)) << kTileBlocksLog2) | (index & uint64_t(kTileBlocks - 1));
  }
  template <class U64>
  static FANIN_FN U64 word(U64 index) {
    return (index >> kTileBlocksLog2) & uint64_t(kWords - 1);
  }
};

}  // namespace fanin
