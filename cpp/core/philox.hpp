// Computes Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include "core/target.hpp"

namespace fanin::FANIN_ISA {

constexpr uint32_t kPhiloxM0 = 0xD2511F53u, kPhiloxM1 = 0xCD9E8D57u;  // multipliers
constexpr uint32_t kPhiloxW0 = 0x9E3779B9u, kPhiloxW1 = 0xBB67AE85u;  // key increments (Weyl)

// Holds the key of each round in every lane.
template <class L>
struct PhiloxKey {
  typename L::Word k0[10], k1[10];

  FANIN_FN explicit PhiloxKey(uint64_t seed) {
    uint32_t a = uint32_t(seed), b = uint32_t(seed >> 32);
    for (int round = 0; round < 10; ++round, a += kPhiloxW0, b += kPhiloxW1)
      k0[round] = L::splat_word(a), k1[round] = L::splat_word(b);
  }
};

// Computes one round for `N` registers of blocks: independent chains keep the multipliers busy.
template <class L, int N>
FANIN_FN void philox_round(typename L::Word (&w)[4][N], const PhiloxKey<L>& key, int round) {
  FANIN_UNROLL
  for (int i = 0; i < N; ++i) {
    const auto p0 = L::multiply(w[0][i], kPhiloxM0), p1 = L::multiply(w[2][i], kPhiloxM1);
    w[0][i] = L::xor3(L::high(p1), w[1][i], key.k0[round]);
    w[2][i] = L::xor3(L::high(p0), w[3][i], key.k1[round]);
    w[1][i] = L::low(p1);
    w[3][i] = L::low(p0);
  }
}

template <class L, int N>
FANIN_FN void philox(typename L::Word (&w)[4][N], const PhiloxKey<L>& key) {
  FANIN_UNROLL
  for (int round = 0; round < 10; ++round)
    philox_round<L, N>(w, key, round);
}

// Computes all rounds for blocks whose counters differ in the lowest word only, as within a tile: half of the products
// of the first two rounds do not depend on it and are computed once. `w[0]` holds the lowest words on entry.
template <class L>
struct PhiloxPrefix {
  uint32_t block_high;
  typename L::Word c1, c2, c3, c4, c5;  // what the first three rounds add to the words

  FANIN_FN PhiloxPrefix(uint64_t seed, uint64_t id, uint32_t high) : block_high(high) {
    const uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
    const uint64_t p1 = uint64_t(uint32_t(id)) * kPhiloxM1;
    const uint64_t p0 = uint64_t(uint32_t(p1 >> 32) ^ high ^ k0) * kPhiloxM0;
    c1 = L::splat_word(uint32_t(id >> 32) ^ k1);
    c2 = L::splat_word(uint32_t(p1) ^ (k0 + kPhiloxW0));
    c3 = L::splat_word(uint32_t(p0 >> 32) ^ (k1 + kPhiloxW1));
    c4 = L::splat_word(k0 + 2 * kPhiloxW0);
    c5 = L::splat_word(uint32_t(p0) ^ (k1 + 2 * kPhiloxW1));
  }
};

template <class L, int N>
FANIN_FN void philox_tile(typename L::Word (&w)[4][N], const PhiloxPrefix<L>& prefix, const PhiloxKey<L>& key) {
  FANIN_UNROLL
  for (int i = 0; i < N; ++i) {
    const auto first = L::multiply(w[0][i], kPhiloxM0);                      // round 1
    const auto second = L::multiply(L::high(first) ^ prefix.c1, kPhiloxM1);  // round 2
    const auto p0 = L::multiply(L::high(second) ^ prefix.c2, kPhiloxM0);     // round 3
    const auto p1 = L::multiply(L::low(first) ^ prefix.c3, kPhiloxM1);
    w[0][i] = L::xor3(L::high(p1), L::low(second), prefix.c4);
    w[2][i] = L::high(p0) ^ prefix.c5;
    w[1][i] = L::low(p1);
    w[3][i] = L::low(p0);
  }
  FANIN_UNROLL
  for (int round = 3; round < 10; ++round)
    philox_round<L, N>(w, key, round);
}

}  // namespace fanin::FANIN_ISA
