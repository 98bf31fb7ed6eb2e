// The element types a tensor can have.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

enum class Dtype : uint8_t { float32, float64, float16, bfloat16, uint32, uint64 };
constexpr int kDtypes = 6;

constexpr size_t itemsize(Dtype d) {
  constexpr size_t sizes[kDtypes] = {4, 8, 2, 2, 4, 8};
  return sizes[int(d)];
}
constexpr const char* name(Dtype d) {
  constexpr const char* names[kDtypes] = {"float32", "float64", "float16", "bfloat16", "uint32", "uint64"};
  return names[int(d)];
}
// Elements of 32 and 64 random bits take tiles of 128 and 64 elements, 32 Philox blocks either way.
constexpr bool is_wide(Dtype d) { return d == Dtype::float64 || d == Dtype::uint64; }
// What values are computed in, before they are rounded to a shorter dtype.
constexpr Dtype compute_type(Dtype d) { return is_wide(d) ? Dtype::float64 : Dtype::float32; }
constexpr uint64_t tile_elements(Dtype d) { return is_wide(d) ? 64 : 128; }

}  // namespace fanin
