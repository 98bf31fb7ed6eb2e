// The kernels of structured schemes: one source, compiled once for every instruction set.
#include "cpu/scheme_kernels.hpp"

#include <cstring>
#include <type_traits>

#include "core/exp.hpp"
#include "core/rounding.hpp"
#include "core/sinusoid.hpp"
#include "cpu/distributions.hpp"
#include "cpu/lanes.hpp"

namespace fanin::FANIN_ISA {
namespace {

int64_t scan(const uint32_t* words, int64_t count, uint32_t low, uint64_t high, uint32_t* places, int64_t& found) {
  const bool empty = high <= low;
  const uint32_t last = empty ? 0 : uint32_t(high - low - 1);  // of the offsets from `low`
  const auto lows = L::splat(low), lasts = L::splat(last);
  L::U32 under{};
  uint32_t* place = places;
  int64_t i = 0;
  for (; i + 64 <= count; i += 64) {
    uint64_t outside = 0;
    FANIN_UNROLL
    for (int k = 0; k < 64; k += L::kLanes32) {
      const auto w = L::load<L::U32>(words + i + k);
      under = under - (L::U32)(w < lows);
      outside |= uint64_t(L::below(lasts, w - lows)) << k;
    }
    if (empty) continue;
    uint64_t inside = ~outside;
    const auto put = [&] {  // the lowest of them, if there is one
      *place = uint32_t(i) + uint32_t(__builtin_ctzll(inside | uint64_t(1) << 63));
      place += inside != 0;
      inside &= inside - 1;
    };
    put(), put();  // few blocks have more: branches would be hard to predict
    while (inside != 0)
      put();
  }
  int64_t result = 0;
  for (int k = 0; k < L::kLanes32; ++k)
    result += under[k];
  for (; i < count; ++i) {
    result += words[i] < low;
    if (!empty && words[i] - low <= last) *place++ = uint32_t(i);
  }
  found = place - places;
  return result;
}

void below(const uint32_t* words, int64_t count, uint32_t bound, uint64_t* bits) {
  const auto bounds = L::splat(bound);
  for (; count >= 64; count -= 64, words += 64) {
    uint64_t all = 0;
    FANIN_UNROLL
    for (int k = 0; k < 64; k += L::kLanes32)
      all |= uint64_t(L::below(L::load<L::U32>(words + k), bounds)) << k;
    *bits++ = all;
  }
  if (count == 0) return;
  *bits = 0;
  for (int64_t k = 0; k < count; ++k)
    *bits |= uint64_t(words[k] < bound) << k;
}

// A register of as many elements as there are 32-bit lanes, or of 64-bit lanes for those.
template <class T>
void keep_as(const uint64_t* bits, int64_t count, char* data) {
  constexpr int64_t kLanes = sizeof(T) == 8 ? L::kLanes64 : L::kLanes32;
  typedef T V __attribute__((vector_size(kLanes * sizeof(T))));
  V lane;
  for (int k = 0; k < kLanes; ++k)
    lane[k] = T(T(1) << k);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    char* const p = data + i * int64_t(sizeof(T));
    const auto chunk = T(bits[i / 64] >> i % 64);
    L::store(p, L::load<V>(p) & (V)(((chunk + V{}) & lane) != 0));
  }
  for (; i < count; ++i)
    if ((bits[i / 64] >> i % 64 & 1) == 0) memset(data + i * int64_t(sizeof(T)), 0, sizeof(T));
}

void keep(const uint64_t* bits, int64_t count, size_t itemsize, void* data) {
  auto* const p = static_cast<char*>(data);
  if (itemsize == 2) return keep_as<uint16_t>(bits, count, p);
  if (itemsize == 4) return keep_as<uint32_t>(bits, count, p);
  keep_as<uint64_t>(bits, count, p);
}

template <class Format>
void round_as(const double* values, int64_t count, void* out) {
  auto* const p = static_cast<typename Format::Element*>(out);
  for (int64_t i = 0; i < count; i += L::kLanes32) {
    const auto low = L::load<L::F64>(values + i), high = L::load<L::F64>(values + i + L::kLanes64);
    Format::store(p + i, L::narrow(low, high));
  }
}

void round_any(Dtype dtype, const double* values, int64_t count, void* out) {
  switch (dtype) {
    case Dtype::float64: memcpy(out, values, size_t(count) * sizeof *values); return;
    case Dtype::float16: return round_as<AsFloat16>(values, count, out);
    case Dtype::bfloat16: return round_as<AsBfloat16>(values, count, out);
    default: return round_as<AsIs32>(values, count, out);
  }
}

void sinusoid_of(double position, const double* high, const double* low, const uint64_t* quarter, int64_t count,
                 double* out) {
  const auto positions = L::splat(position);
  for (int64_t i = 0; i < count; i += L::kLanes64)
    L::store(out + i,
             sinusoid<L>(positions, L::load<L::F64>(high + i), L::load<L::F64>(low + i), L::load<L::U64>(quarter + i)));
}

void step_bias(const StepBias& bias, int64_t count, double* values) {
  const auto range = L::splat(bias.log_range), low = L::splat(bias.log_low), floor = L::splat(bias.floor);
  for (int64_t i = 0; i < count; i += L::kLanes64) {
    const auto step = exponential<L>(L::fma(L::load<L::F64>(values + i), range, low));
    L::store(values + i, inverse_softplus<L>(L::select(step < floor, floor, step)));
  }
}

}  // namespace

extern const SchemeKernels scheme_kernels;
const SchemeKernels scheme_kernels = {scan, below, keep, round_any, sinusoid_of, step_bias};

}  // namespace fanin::FANIN_ISA
