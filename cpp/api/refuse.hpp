// Refuses arguments: it throws std::invalid_argument, whose message is put together from parts.
#pragma once

#include <cmath>
#include <iomanip>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tensor/dtype.hpp"

namespace fanin {

template <class T>
const T& text(const T& value) {
  return value;
}
// Writes the fewest digits that read back as the same number, whatever the locale is.
inline std::string text(double value) {
  for (int precision = 6;; ++precision) {
    std::stringstream digits;
    digits.imbue(std::locale::classic());
    digits << std::setprecision(precision) << value;
    double read = 0;
    if (precision == 17 || (digits >> read && read == value)) return digits.str();
  }
}

template <class... Parts>
[[noreturn]] void refuse(const Parts&... parts) {
  std::ostringstream message;
  message.imbue(std::locale::classic());
  (message << ... << text(parts));
  throw std::invalid_argument(message.str());
}

inline void require_finite(const char* argument, double value) {
  if (!std::isfinite(value)) refuse(argument, " must be finite, got ", value);
}

inline void require_deviation(double std) {
  if (!(std >= 0) || std::isinf(std)) refuse("std must be finite and not negative, got ", std);
}

inline void require_float(Dtype dtype) {
  if (dtype == Dtype::uint32 || dtype == Dtype::uint64)
    refuse("dtype must be float32, float64, float16 or bfloat16, got ", name(dtype));
}

}  // namespace fanin
