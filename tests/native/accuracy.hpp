// The largest error of a transform, in ulp, and the word that has it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace check {

struct Worst {
  double ulp = 0;
  uint64_t word = 0, second_word = 0;

  // An ulp is that of the exact value, or of `floor` where the value is smaller.
  template <class T, class Real>
  void add(T found, Real exact, double floor, uint64_t w, uint64_t second = 0) {
    const Real size = std::max(std::abs(exact), Real(floor));
    const Real unit = std::ldexp(Real(1), std::ilogb(size) - (std::numeric_limits<T>::digits - 1));
    const auto error = double(std::abs(Real(found) - exact) / unit);
    if (!(error <= ulp)) ulp = error, word = w, second_word = second;  // a NaN is worst of all
  }
  void merge(const Worst& other) {  // in any order: of equals, the lower word stays
    if (other.ulp == ulp ? other.word < word : !(other.ulp < ulp)) *this = other;
  }
};

}  // namespace check
