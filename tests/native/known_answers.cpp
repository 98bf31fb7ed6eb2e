// Philox4x32-10 against the vectors published with Random123, stream ids against Python's hashlib.
#include "api/fanin.hpp"
#include "check.hpp"
#include "core/philox.hpp"
#include "core/scalar.hpp"

namespace check {
namespace {

using fanin::host::Scalar;

struct Vector {
  uint32_t counter[4], key[2], expected[4];
};
constexpr Vector kPhilox[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},  // digits of pi
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

void philox_vectors(Tally& tally) {
  for (const auto& [c, k, expected] : kPhilox) {
    const uint64_t seed = uint64_t(k[1]) << 32 | k[0], id = uint64_t(c[3]) << 32 | c[2];
    const fanin::host::PhiloxKey<Scalar> key(seed);
    const fanin::host::PhiloxPrefix<Scalar> prefix(seed, id, c[1]);
    uint32_t w[4][1] = {{c[0]}, {c[1]}, {c[2]}, {c[3]}};
    fanin::host::philox<Scalar, 1>(w, key);
    uint32_t tile[4][1] = {{c[0]}};
    fanin::host::philox_tile<Scalar, 1>(tile, prefix, key);
    for (int i = 0; i < 4; ++i) {
      const auto describe = [&, i = i, &c = c, &expected = expected](const char* which, uint32_t found) {
        return std::string(which) + " of counter " + hex(c[0]) + "…, word " + std::to_string(i) + ": expected " +
               hex(expected[i]) + ", found " + hex(found);
      };
      tally.expect(w[i][0] == expected[i], [&] { return describe("philox", w[i][0]); });
      tally.expect(tile[i][0] == expected[i], [&] { return describe("philox_tile", tile[i][0]); });
    }
  }
}

// hashlib.blake2b(bytes([tag]) + name.encode(), digest_size=8, person=b"fanin-v1"), little-endian. With its tag, a name
// of 127 bytes fills one block of the hash, 128 bytes begin a second.
void stream_ids(Tally& tally) {
  const struct {
    std::string name;
    uint8_t tag;
    uint64_t expected;
  } cases[] = {
      {"", 0, 0xf0c127b9ab567054},
      {"", 4, 0xb1d3cb313dfd5e72},
      {"w", 0, 0xd8001a64c2561329},
      {"w", 1, 0xdb22282ada81a4fe},
      {"layers.0.weight", 0, 0x9504675eeea97d33},
      {"layers.0.weight", 2, 0xe9d17b805285bfb0},
      {"gr\xc3\xb6\xc3\x9f"
       "e.\xe9\x87\x8d\xe3\x81\xbf",
       1, 0x28cb5ef70e8f494f},  // größe.重み
      {std::string(127, 'x'), 0, 0x422195afc267a885},
      {std::string(128, 'x'), 0, 0x68111112ad9f05c8},
      {std::string(300, 'y'), 1, 0x3c85935e00c0cccd},
  };
  for (const auto& [name, tag, expected] : cases) {
    const uint64_t found = fanin::stream_id(name, tag);
    tally.expect(found == expected, [&, &name = name, &tag = tag, &expected = expected] {
      return "stream id of '" + name + "', tag " + std::to_string(tag) + ": expected " + hex(expected) + ", found " +
             hex(found);
    });
  }
}

}  // namespace

void known_answers(Tally& tally) {
  philox_vectors(tally);
  stream_ids(tally);
}

}  // namespace check
