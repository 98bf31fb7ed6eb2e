// Holds the kernels of structured schemes. This source is compiled once for every instruction set.
#include "cpu/scheme_kernels.hpp"

#include <cstring>
#include <type_traits>

#include "core/elementary.hpp"
#include "core/rounding.hpp"
#include "core/sinusoid.hpp"
#include "cpu/formats.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin::FANIN_ISA {
namespace {

// Compares at most 64 words.
FANIN_FN uint64_t bits_below(const uint32_t* words, int64_t count, L::U32 bounds) {
  uint64_t bits = 0;
  for (int64_t k = 0; k < count; k += L::kLanes32)
    bits |= uint64_t(L::below(L::load<L::U32>(words + k), bounds)) << k;
  return bits & ~uint64_t(0) >> (64 - count);
}

FANIN_FN int64_t count_words_below(const uint32_t* words, int64_t count, uint32_t bound) {
  const auto bounds = L::splat(bound);
  L::U32 sums[2]{};
  for (; count > 64; count -= 64, words += 64) {
    FANIN_UNROLL
    for (int k = 0; k < 64; k += L::kLanes32)
      sums[k / L::kLanes32 % 2] -= (L::U32)(L::load<L::U32>(words + k) < bounds);
  }
  int64_t result = __builtin_popcountll(bits_below(words, count, bounds));
  const L::U32 sum = sums[0] + sums[1];
  for (int k = 0; k < L::kLanes32; ++k)
    result += sum[k];
  return result;
}

int64_t count_below(const uint32_t* words, int64_t count, uint32_t bound) {
  return count_words_below(words, count, bound);
}

Cut cut(const uint32_t* words, int64_t count, int64_t wanted) {
  if (count <= 64) {
    return find_cut(count, wanted, [&](uint32_t bound) {
      return int64_t(__builtin_popcountll(bits_below(words, count, L::splat(bound))));
    });
  }
  return find_cut(count, wanted, [&](uint32_t bound) { return count_words_below(words, count, bound); });
}

void below(const uint32_t* words, int64_t count, uint32_t bound, uint64_t* bits) {
  const auto bounds = L::splat(bound);
  for (; count >= 64; count -= 64, words += 64)
    *bits++ = bits_below(words, 64, bounds);
  if (count > 0) *bits = bits_below(words, count, bounds);
}

// Loads as many elements as there are 32-bit lanes, or 64-bit lanes for elements of 64 bits.
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
  with_float(dtype, [&](auto d) {
    if constexpr (d.value == Dtype::float64)
      memcpy(out, values, size_t(count) * sizeof *values);
    else
      round_as<Format<d.value>>(values, count, out);
  });
}

void sinusoid_of(double position, const double* high, const double* low, const uint64_t* quarter, int64_t count,
                 double* out) {
  const auto positions = L::splat(position);
  for (int64_t i = 0; i < count; i += L::kLanes64)
    L::store(out + i,
             sinusoid<L>(positions, L::load<L::F64>(high + i), L::load<L::F64>(low + i), L::load<L::U64>(quarter + i)));
}

void step_biases(const StepBias& bias, int64_t count, double* values) {
  for (int64_t i = 0; i < count; i += L::kLanes64)
    L::store(values + i, step_bias<L>(bias, L::load<L::F64>(values + i)));
}

template <class Function>
FANIN_FN void each_register(int64_t count, const Function& function) {
  for (int64_t i = 0; i < count; i += L::kLanes64)
    function(i);
}

void operate(Operation operation, const double* const* operands, int64_t count, double* out) {
  const auto load = [&](int k, int64_t i) { return L::load<L::F64>(operands[k] + i); };
  // The comparisons say what a NaN gives: one in either operand of minimum and maximum stays.
  switch (operation) {
#define FANIN_OPERATION(name, ...) \
  case Operation::name:            \
    return each_register(count, [&](int64_t i) { L::store(out + i, __VA_ARGS__); });
#define X load(0, i)
#define Y load(1, i)
#define Z load(2, i)
    FANIN_OPERATION(add, X + Y)
    FANIN_OPERATION(subtract, X - Y)
    FANIN_OPERATION(multiply, X * Y)
    FANIN_OPERATION(divide, X / Y)
    FANIN_OPERATION(fma, L::fma(X, Y, Z))
    FANIN_OPERATION(sqrt, L::sqrt(X))
    FANIN_OPERATION(negate, -X)
    FANIN_OPERATION(abs, L::as<L::F64>(L::as<L::U64>(X) & 0x7fffffffffffffffull))
    FANIN_OPERATION(minimum, L::select((Y < X) | (Y != Y), Y, X))
    FANIN_OPERATION(maximum, L::select((X < Y) | (Y != Y), Y, X))
    FANIN_OPERATION(exp, exp_any<L>(X))
    FANIN_OPERATION(log, log_any<L>(X))
    FANIN_OPERATION(expm1, expm1_any<L>(X))
    FANIN_OPERATION(log1p, log1p_any<L>(X))
    FANIN_OPERATION(less, L::select(X < Y, L::splat(1.0), L::splat(0.0)))
    FANIN_OPERATION(where, L::select(X != 0.0, Y, Z))
#undef X
#undef Y
#undef Z
#undef FANIN_OPERATION
  }
}

void settle(int64_t count, double* values) {
  each_register(count, [&](int64_t i) {
    const auto x = L::load<L::F64>(values + i);
    L::store(values + i, L::select(x <= kInfinity, x, L::splat(kNan)));
  });
}

}  // namespace

extern const SchemeKernels scheme_kernels;
const SchemeKernels scheme_kernels = {count_below, cut,         below,   keep,  round_any,
                                      sinusoid_of, step_biases, operate, settle};

}  // namespace fanin::FANIN_ISA
