// The largest value of a dtype, and what single numbers are in it.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "api/refuse.hpp"
#include "core/rounding.hpp"
#include "core/scalar.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin {

template <Dtype>
struct Largest;
template <>
struct Largest<Dtype::float32> {
  static constexpr double value = std::numeric_limits<float>::max();
};
template <>
struct Largest<Dtype::float64> {
  static constexpr double value = std::numeric_limits<double>::max();
};
template <>
struct Largest<Dtype::float16> {
  static constexpr double value = 65504;
};
template <>
struct Largest<Dtype::bfloat16> {
  static constexpr double value = 0x1.fep127;
};

inline double largest(Dtype dtype) {
  return with_float(dtype, [](auto d) { return Largest<d.value>::value; });
}

// Refuses where `reach` times an argument is not finite in a dtype.
inline void require_value(const std::string& argument, double value, Dtype dtype, double reach = 1) {
  require_finite(argument.c_str(), value);
  if (!(std::abs(value) * reach <= largest(dtype)))
    refuse(argument, " must not exceed the largest ", name(dtype), ", ", largest(dtype), ", got ", value);
}

// A finite number's bit pattern in a dtype, rounded to nearest even by way of float32, as samples are.
inline uint64_t pattern_of(Dtype dtype, double value) {
  using host::Scalar;
  return with_float(dtype, [&](auto d) -> uint64_t {
    if constexpr (d.value == Dtype::float64) return Scalar::as<uint64_t>(value);
    if constexpr (d.value == Dtype::float32) return Scalar::as<uint32_t>(float(value));
    if constexpr (d.value == Dtype::float16) return host::round_to_float16(Scalar::as<uint32_t>(float(value)));
    if constexpr (d.value == Dtype::bfloat16) return host::round_to_bfloat16<Scalar>(float(value)) >> 16;
  });
}

inline double value_of(Dtype dtype, uint64_t pattern) {
  using host::Scalar;
  return with_float(dtype, [&](auto d) -> double {
    if constexpr (d.value == Dtype::float64) return Scalar::as<double>(pattern);
    if constexpr (d.value == Dtype::float32) return double(Scalar::as<float>(uint32_t(pattern)));
    if constexpr (d.value == Dtype::bfloat16) return double(Scalar::as<float>(uint32_t(pattern << 16)));
    if constexpr (d.value == Dtype::float16) {
      // Scaling by 2^112 moves float16's exponent bias to float32's, also for subnormals.
      const double magnitude = double(Scalar::as<float>(uint32_t(pattern & 0x7fff) << 13)) * 0x1p112;
      return pattern & 0x8000 ? -magnitude : magnitude;
    }
  });
}

// The least value of a dtype that is not below x; infinities stay.
inline double round_up(Dtype dtype, double x) {
  if (std::isinf(x) || dtype == Dtype::float64) return x;
  if (x > largest(dtype)) return std::numeric_limits<double>::infinity();
  if (x < -largest(dtype)) return -largest(dtype);
  const uint64_t pattern = pattern_of(dtype, x), sign = 1ull << (8 * itemsize(dtype) - 1);
  const double nearest = value_of(dtype, pattern);
  if (nearest >= x) return nearest;
  // One step up: away from zero above it, towards zero below; from -0 or +0 to the least positive.
  const uint64_t next = nearest == 0 ? 1 : pattern & sign ? pattern - 1 : pattern + 1;
  return value_of(dtype, next);
}

inline double round_to_compute(Dtype dtype, double x) { return dtype == Dtype::float64 ? x : double(float(x)); }

}  // namespace fanin
