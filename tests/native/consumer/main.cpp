// Draws normals and an orthogonal matrix with the installed library, and compares them with values of tests/golden.
#include <fanin/api/environment.hpp>
#include <fanin/api/fanin.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int g_failed = 0;

void expect(bool right, const char* what) {
  if (!right) std::printf("wrong: %s\n", what), ++g_failed;
}

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

std::vector<float> normals() {
  std::vector<float> values(1000);
  fanin::normal(0, 1, {0, "wte.weight", fanin::Dtype::float32, {1000}}, {values.data()});
  return values;
}

void check_orthogonal() {
  constexpr int kRows = 5, kColumns = 5;
  constexpr double kGain = 1.5;
  std::vector<float> w(kRows * kColumns);
  fanin::orthogonal(kGain, "OI", {}, {0, "wte.weight", fanin::Dtype::float32, {kRows, kColumns}}, {w.data()});
  expect(bits_of(w[0]) == 0x3de9c7fc && bits_of(w[1]) == 0x3f4854d6, "the orthogonal matrix's golden values");
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kRows; ++j) {
      double product = 0;
      for (int k = 0; k < kColumns; ++k)
        product += double(w[size_t(i * kColumns + k)]) * double(w[size_t(j * kColumns + k)]);
      expect(std::abs(product - (i == j ? kGain * kGain : 0)) < 1e-5, "orthonormal rows");
    }
  }
}

void check_errors() {
  try {
    fanin::normal(0, -1, {0, "w", fanin::Dtype::float32, {1}}, {nullptr});
    expect(false, "an error for a negative std");
  } catch (const std::invalid_argument& error) {
    expect(std::string(error.what()).find("std must be finite and not negative") == 0, error.what());
  }
}

}  // namespace

int main() {
  const std::vector<float> values = normals();
  expect(bits_of(values[0]) == 0xbf67e21d && bits_of(values[1]) == 0x3f22ebdd, "the normals' golden values");
  fanin::set_thread_count(1);
  expect(values == normals(), "the same values from one thread");
  check_orthogonal();
  check_errors();
  std::printf("%s, %d failed\n", fanin::active_isa().c_str(), g_failed);
  return g_failed != 0;
}
