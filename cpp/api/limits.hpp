// Tells the largest value of a dtype, and rounds single numbers to it.
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

// Refuses an argument that is not finite in a dtype once it is multiplied by `reach`.
inline void require_value(const std::string& argument, double value, Dtype dtype, double reach = 1) {
  require_finite(argument.c_str(), value);
  if (!(std::abs(value) * reach <= largest(dtype)))
    refuse(argument, " must not exceed the largest ", name(dtype), ", ", largest(dtype), ", got ", value);
}

// Returns the bits of a finite number in a dtype. It is rounded to nearest even by way of float32, as samples are.
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
      // A factor of 2^112 makes up for the exponent bias, 15 in float16 and 127 in float32, of subnormals too.
      const double magnitude = double(Scalar::as<float>(uint32_t(pattern & 0x7fff) << 13)) * 0x1p112;
      return pattern & 0x8000 ? -magnitude : magnitude;
    }
  });
}

// Returns the least value of a dtype that is not below x. Infinities stay as they are.
inline double round_up(Dtype dtype, double x) {
  if (std::isinf(x) || dtype == Dtype::float64) return x;
  if (x > largest(dtype)) return std::numeric_limits<double>::infinity();
  if (x < -largest(dtype)) return -largest(dtype);
  const uint64_t pattern = pattern_of(dtype, x), sign = 1ull << (8 * itemsize(dtype) - 1);
  const double nearest = value_of(dtype, pattern);
  if (nearest >= x) return nearest;
  // The next pattern is one more above zero and one less below it; after either zero comes the least positive.
  const uint64_t next = nearest == 0 ? 1 : pattern & sign ? pattern - 1 : pattern + 1;
  return value_of(dtype, next);
}

inline double round_to_compute(Dtype dtype, double x) { return dtype == Dtype::float64 ? x : double(float(x)); }

}  // namespace fanin
