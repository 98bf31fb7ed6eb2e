// Makes masks: writes bits one after another, and transposes blocks of them.
#pragma once

#include <cstdint>

namespace fanin::cpu {

// Writes consecutive bits into every stride-th word.
class BitWriter {
 public:
  BitWriter(uint64_t* words, int64_t stride) : words_(words), stride_(stride) {}
  ~BitWriter() {
    if (used_ > 0) *words_ = word_;
  }
  BitWriter(const BitWriter&) = delete;
  BitWriter& operator=(const BitWriter&) = delete;

  void put(uint64_t bits, int64_t count) {  // the `count` lowest, at most 64; the others are 0
    word_ |= bits << used_;
    if (used_ + count < 64) {
      used_ += count;
      return;
    }
    *words_ = word_;
    words_ += stride_;
    word_ = used_ == 0 ? 0 : bits >> (64 - used_);
    used_ += count - 64;
  }

 private:
  uint64_t* words_;
  const int64_t stride_;
  uint64_t word_ = 0;
  int64_t used_ = 0;
};

// Transposes 64 × 64 bits in place: bit c of word r changes places with bit r of word c (Warren, Hacker's Delight,
// 7-3).
inline void transpose_bits(uint64_t* words) {
  uint64_t lower = 0x00000000ffffffffull;
  for (int width = 32; width != 0; width /= 2, lower ^= lower << width) {
    for (int i = 0; i < 64; i = (i + width + 1) & ~width) {
      const uint64_t swapped = (words[i] >> width ^ words[i + width]) & lower;
      words[i] ^= swapped << width;
      words[i + width] ^= swapped;
    }
  }
}

}  // namespace fanin::cpu
