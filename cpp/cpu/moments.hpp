// Count, sums, minimum and maximum of finite values in one pass, in float64.
#pragma once

#include "cpu/kernels.hpp"
#include "cpu/lanes.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;
typedef uint16_t Shorts __attribute__((vector_size(L::kLanes64 * 2)));
typedef uint32_t Words __attribute__((vector_size(L::kLanes64 * 4)));

// One register of float64 from kLanes64 elements, exactly.
template <Dtype dtype>
FANIN_FN L::F64 widen(const void* data, uint64_t i) {
  const auto* p = static_cast<const char*>(data) + i * itemsize(dtype);
  if constexpr (dtype == Dtype::float64) return L::load<L::F64>(p);
  if constexpr (dtype == Dtype::float32) return __builtin_convertvector(L::load<L::F32Half>(p), L::F64);
  const Words w = __builtin_convertvector(L::load<Shorts>(p), Words);
  if constexpr (dtype == Dtype::bfloat16) return __builtin_convertvector((L::F32Half)(w << 16), L::F64);
  // float16: the exponent's bias differs by 112, which also serves subnormals.
  const L::F32Half x = (L::F32Half)(((w & 0x8000u) << 16) | ((w & 0x7fffu) << 13)) * 0x1p112f;
  return __builtin_convertvector(x, L::F64);
}

template <Dtype dtype>
void moments_of(const void* data, uint64_t count, Moments& m) {
  constexpr int kChains = 4, kStep = kChains * L::kLanes64;
  L::F64 sum[kChains] = {}, square[kChains] = {}, low[kChains], high[kChains];
  for (int k = 0; k < kChains; ++k)
    low[k] = L::splat(m.minimum), high[k] = L::splat(m.maximum);
  const auto add = [&](int k, L::F64 x) {
    const L::F64 d = x - m.pivot;
    sum[k] = sum[k] + d;
    square[k] = square[k] + d * d;
    low[k] = x < low[k] ? x : low[k];
    high[k] = x > high[k] ? x : high[k];
  };
  uint64_t i = 0;
  for (; i + kStep <= count; i += kStep) {
    FANIN_UNROLL
    for (int k = 0; k < kChains; ++k)
      add(k, widen<dtype>(data, i + uint64_t(k * L::kLanes64)));
  }
  for (; i < count; ++i) {  // the rest one by one, the other lanes filled with the pivot
    char last[sizeof(L::F64)] = {};
    memcpy(last, static_cast<const char*>(data) + i * itemsize(dtype), itemsize(dtype));
    L::F64 x = L::splat(m.pivot);
    x[0] = widen<dtype>(last, 0)[0];
    add(0, x);
  }
  for (int k = 0; k < kChains; ++k) {
    for (int lane = 0; lane < L::kLanes64; ++lane) {
      m.sum += sum[k][lane];
      m.square += square[k][lane];
      m.minimum = low[k][lane] < m.minimum ? low[k][lane] : m.minimum;
      m.maximum = high[k][lane] > m.maximum ? high[k][lane] : m.maximum;
    }
  }
  m.count += double(count);
}

inline void moments_any(Dtype dtype, const void* data, uint64_t count, Moments& m) {
  switch (dtype) {
    case Dtype::float64: return moments_of<Dtype::float64>(data, count, m);
    case Dtype::float16: return moments_of<Dtype::float16>(data, count, m);
    case Dtype::bfloat16: return moments_of<Dtype::bfloat16>(data, count, m);
    default: return moments_of<Dtype::float32>(data, count, m);
  }
}

}  // namespace fanin::FANIN_ISA
