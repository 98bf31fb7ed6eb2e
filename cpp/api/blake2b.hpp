// BLAKE2b (RFC 7693), without a key, with a personalization.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// The first 8 bytes, little-endian, of the 8-byte digest of `size` bytes.
uint64_t blake2b_64(const uint8_t* data, size_t size, const char person[16]);

}  // namespace fanin
