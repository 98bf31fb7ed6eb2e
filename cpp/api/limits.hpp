// The largest value of a dtype, and rounding of single numbers to it.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "core/rounding.hpp"
#include "core/scalar.hpp"
#include "tensor/dtype.hpp"

namespace fanin {

inline double largest(Dtype dtype) {
  switch (dtype) {
    case Dtype::float16: return 65504.0;
    case Dtype::bfloat16: return 0x1.fep127;
    case Dtype::float32: return std::numeric_limits<float>::max();
    default: return std::numeric_limits<double>::max();
  }
}

// A finite number's bit pattern in a dtype, rounded to nearest even by way of float32, as samples are.
inline uint64_t pattern_of(Dtype dtype, double value) {
  using host::Scalar;
  if (dtype == Dtype::float64) return Scalar::as<uint64_t>(value);
  const auto single = float(value);
  const auto bits = Scalar::as<uint32_t>(single);
  if (dtype == Dtype::float16) return host::round_to_float16(bits);
  if (dtype == Dtype::bfloat16) return host::round_to_bfloat16<Scalar>(single) >> 16;
  return bits;
}

inline double value_of(Dtype dtype, uint64_t pattern) {
  using host::Scalar;
  if (dtype == Dtype::float64) return Scalar::as<double>(pattern);
  if (dtype == Dtype::float16) {
    // Scaling by 2^112 moves float16's exponent bias to float32's, also for subnormals.
    const double magnitude = double(Scalar::as<float>(uint32_t(pattern & 0x7fff) << 13)) * 0x1p112;
    return pattern & 0x8000 ? -magnitude : magnitude;
  }
  return double(Scalar::as<float>(uint32_t(dtype == Dtype::bfloat16 ? pattern << 16 : pattern)));
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
