// Computes BLAKE2b (RFC 7693) with a personalization and without a key.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanin {

// Returns the 8-byte digest of `size` bytes as a little-endian number.
uint64_t blake2b_64(const uint8_t* data, size_t size, const char person[16]);

}  // namespace fanin
