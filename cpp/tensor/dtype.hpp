// Lists the element types that a tensor can have, once; tensor/with_dtype.hpp has the one switch over them.
#pragma once

#include <cstddef>
#include <cstdint>

#define FANIN_FLOATS(X) X(float32, 4) X(float64, 8) X(float16, 2) X(bfloat16, 2)
#define FANIN_WORDS(X) X(uint32, 4) X(uint64, 8)

namespace fanin {

#define FANIN_ENTRY(name, size) name,
enum class Dtype : uint8_t { FANIN_FLOATS(FANIN_ENTRY) FANIN_WORDS(FANIN_ENTRY) };
#undef FANIN_ENTRY

#define FANIN_ENTRY(name, size) size,
constexpr size_t kItemsizes[] = {FANIN_FLOATS(FANIN_ENTRY) FANIN_WORDS(FANIN_ENTRY)};
#undef FANIN_ENTRY
#define FANIN_ENTRY(name, size) #name,
constexpr const char* kDtypeNames[] = {FANIN_FLOATS(FANIN_ENTRY) FANIN_WORDS(FANIN_ENTRY)};
#undef FANIN_ENTRY
constexpr int kDtypes = sizeof kItemsizes / sizeof *kItemsizes;

constexpr size_t itemsize(Dtype d) { return kItemsizes[int(d)]; }
constexpr const char* name(Dtype d) { return kDtypeNames[int(d)]; }
// Returns whether an element takes 64 random bits; others take 32.
constexpr bool is_wide(Dtype d) { return itemsize(d) == 8; }
// Returns the type that values are computed in, before they are rounded to the dtype.
constexpr Dtype compute_type(Dtype d) { return is_wide(d) ? Dtype::float64 : Dtype::float32; }

}  // namespace fanin
