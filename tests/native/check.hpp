// Counts what passed and describes what did not.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

namespace check {

struct Tally {
  unsigned long passed = 0, failed = 0;

  // `describe` gives a line of text; only the first failures are printed.
  template <class Describe>
  void expect(bool holds, const Describe& describe) {
    if (holds) {
      ++passed;
    } else if (failed++ < 20) {
      std::printf("FAILED %s\n", describe().c_str());
    }
  }
};

inline std::string hex(unsigned long long x) {
  char text[20];
  std::snprintf(text, sizeof text, "0x%llx", x);
  return text;
}

template <class To, class From>
To bits(From x) {
  static_assert(sizeof(To) == sizeof(From), "a cast of bits keeps the size");
  To y;
  memcpy(&y, &x, sizeof y);
  return y;
}

void known_answers(Tally& tally);
void fused_multiply_add(Tally& tally);
void selection(Tally& tally);
void statistics(Tally& tally);
void rounding(Tally& tally);
// Every line of every file in `folder`.
void golden(Tally& tally, const std::string& folder);

}  // namespace check
