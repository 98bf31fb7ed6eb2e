// The transforms from words to numbers, as each instruction set compiles them, on words of the caller's choice.
#pragma once

#include <cstddef>

#include "cpu/kernels.hpp"

namespace fanin {

struct Transforms {
  const char* isa;
  // One-word functions, at `count` consecutive words from `first` on; `count` is a multiple of 256.
  using Consecutive = void (*)(const Draw&, uint32_t first, size_t count, float* out);
  Consecutive unit, radius, cosine, sine, truncated;
  // Functions of given words.
  void (*normal_f32)(const uint64_t* radius_words, const uint64_t* angle_words, size_t count, float* z0, float* z1);
  void (*normal_f64)(const uint64_t* radius_words, const uint64_t* angle_words, size_t count, double* z0, double* z1);
  void (*truncated_f64)(const Draw&, const uint64_t* words, size_t count, double* out);
};

namespace baseline {
extern const Transforms transforms;
}
namespace avx2 {
extern const Transforms transforms;
}
namespace avx512 {
extern const Transforms transforms;
}
namespace neon {
extern const Transforms transforms;
}

}  // namespace fanin
