// Reads a block of values once: sums, extremes and zeros, and a hash of the bytes. With every instruction set value i
// goes to column i % 16, and columns are added in one order, so that the bits are the same everywhere.
#pragma once

#include <type_traits>

#include "cpu/kernels.hpp"
#include "cpu/lanes.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;

constexpr int kColumns = 16, kRegisters = kColumns / L::kLanes64;
struct Whole {};  // says that a row has all columns

// Loads one register of float64, or of float32, which holds the shorter dtypes exactly.
template <Dtype dtype>
FANIN_FN auto read(const char* p) {
  if constexpr (dtype == Dtype::float64) {
    return L::load<L::F64>(p);
  } else if constexpr (dtype == Dtype::float32) {
    return L::load<L::F32>(p);
  } else if constexpr (dtype == Dtype::bfloat16) {
    return (L::F32)L::load_upper_halves(p);
  } else {
    return L::load_float16(p);
  }
}

FANIN_FN void widen(L::F64 x, L::F64 (&out)[1]) { out[0] = x; }
FANIN_FN void widen(L::F32 x, L::F64 (&out)[2]) { L::widen(x, out[0], out[1]); }

// Returns sum + x². A product of two float32 is exact in float64, so it is rounded once, fused or not.
template <bool exact>
FANIN_FN L::F64 add_square(L::F64 sum, L::F64 x) {
#if defined(__FMA__) || defined(__aarch64__)
  if constexpr (exact) return L::fma(x, x, sum);
#endif
  return sum + x * x;
}

template <Dtype dtype, bool about_zero>
Moments moments_about(const void* data, uint64_t count, double pivot) {
  using V = decltype(read<dtype>(nullptr));
  constexpr uint64_t kSize = itemsize(dtype);
  constexpr int kLanes = dtype == Dtype::float64 ? L::kLanes64 : L::kLanes32, kHalves = kLanes / L::kLanes64;
  constexpr bool kExact = about_zero && dtype != Dtype::float64;
  const auto* const p = static_cast<const char*>(data);
  char padded[kColumns * kSize];  // padded with the first value, which does not change the extremes
  for (int k = 0; k < kColumns; ++k)
    memcpy(padded + uint64_t(k) * kSize, p, kSize);
  const V first = read<dtype>(padded);

  // Sums have a register for every column; for the others two chains are enough.
  L::F64 sum[kRegisters] = {}, square[kRegisters] = {};
  V low[2] = {first, first}, high[2] = {first, first};
  decltype(first < V{}) zeros[2] = {};
  const auto add_row = [&](const char* row, auto rest) {
    FANIN_UNROLL
    for (int k = 0; k < kColumns / kLanes; ++k) {
      const V x = read<dtype>(row + uint64_t(k * kLanes) * kSize);
      low[k % 2] = x < low[k % 2] ? x : low[k % 2];
      high[k % 2] = x > high[k % 2] ? x : high[k % 2];
      zeros[k % 2] -= x == 0;
      L::F64 d[kHalves];
      widen(x, d);
      for (int h = 0; h < kHalves; ++h) {
        const int r = k * kHalves + h;
        if constexpr (!about_zero) d[h] = d[h] - pivot;
        if constexpr (!std::is_same_v<decltype(rest), Whole>)
          d[h] = L::iota() + uint64_t(r * L::kLanes64) < rest ? d[h] : L::F64{};
        sum[r] = sum[r] + d[h];
        square[r] = add_square<kExact>(square[r], d[h]);
      }
    }
  };
  uint64_t i = 0;
  for (; i + kColumns <= count; i += kColumns)
    add_row(p + i * kSize, Whole{});
  const uint64_t rest = count - i;
  if (rest != 0) {
    memcpy(padded, p + i * kSize, rest * kSize);
    add_row(padded, rest);
  }

  double sums[kColumns], squares[kColumns];
  for (int k = 0; k < kRegisters; ++k) {
    L::store(sums + k * L::kLanes64, sum[k]);
    L::store(squares + k * L::kLanes64, square[k]);
  }
  for (int half = kColumns / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k)
      sums[k] += sums[k + half], squares[k] += squares[k + half];
  Moments m{sums[0], squares[0], double(first[0]), double(first[0]), 0};
  for (int k = 0; k < 2; ++k) {
    for (int lane = 0; lane < kLanes; ++lane) {
      m.minimum = low[k][lane] < m.minimum ? low[k][lane] : m.minimum;
      m.maximum = high[k][lane] > m.maximum ? high[k][lane] : m.maximum;
      m.zeros += uint64_t(zeros[k][lane]);
    }
  }
  if (rest != 0 && first[0] == 0) m.zeros -= kColumns - rest;
  return m;
}

template <Dtype dtype>
Moments moments_of(const void* data, uint64_t count, double pivot) {
  return pivot == 0 ? moments_about<dtype, true>(data, count, 0) : moments_about<dtype, false>(data, count, pivot);
}

inline Moments moments_any(Dtype dtype, const void* data, uint64_t count, double pivot) {
  return with_float(dtype, [&](auto d) { return moments_of<d.value>(data, count, pivot); });
}

// Hashes each column by Marsaglia's multiply-with-carry, a multiplication modulo kCarry·2³² - 1.
inline uint64_t hash_of(const void* data, uint64_t bytes) {
  constexpr uint32_t kCarry = 4294957665u;
  constexpr uint64_t kRow = kColumns * sizeof(uint64_t), kOdd = 0x9e3779b97f4a7c15;
  const auto* const p = static_cast<const char*>(data);
  L::U64 state[kRegisters];
  for (int k = 0; k < kRegisters; ++k)
    for (int lane = 0; lane < L::kLanes64; ++lane)
      state[k][lane] = uint64_t(k * L::kLanes64 + lane + 1) * kOdd;
  const auto add_row = [&](const char* row) {
    FANIN_UNROLL
    for (int k = 0; k < kRegisters; ++k) {
      const L::U64 x = state[k] ^ L::load<L::U64>(row + uint64_t(k) * sizeof(L::U64));
      state[k] = L::multiply(x, kCarry) + (x >> 32);
    }
  };
  uint64_t i = 0;
  for (; i + kRow <= bytes; i += kRow)
    add_row(p + i);
  if (i != bytes) {
    char padded[kRow] = {};
    memcpy(padded, p + i, bytes - i);
    add_row(padded);
  }
  uint64_t hash = bytes;
  for (const L::U64& columns : state) {
    for (int lane = 0; lane < L::kLanes64; ++lane) {
      const uint64_t x = hash ^ columns[lane];
      hash = (x & 0xffffffff) * kCarry + (x >> 32);
    }
  }
  return hash;
}

}  // namespace fanin::FANIN_ISA
