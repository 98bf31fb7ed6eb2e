// One-pass statistics beside plain loops in long double, and bits that no instruction set, thread count or stride changes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "api/environment.hpp"
#include "api/fanin.hpp"
#include "check.hpp"
#include "random_words.hpp"

namespace check {
namespace {

using fanin::Dtype;
using fanin::Input;
using fanin::Statistics;

bool same(const Statistics& a, const Statistics& b) {
  return a.count == b.count && a.finite == b.finite && a.nans == b.nans && a.infinities == b.infinities &&
         a.zeros == b.zeros && a.hash == b.hash && bits<uint64_t>(a.mean) == bits<uint64_t>(b.mean) &&
         bits<uint64_t>(a.deviation) == bits<uint64_t>(b.deviation) && a.minimum == b.minimum && a.maximum == b.maximum;
}

template <class T>
std::vector<T> noise(size_t count, double mean, double deviation, uint64_t seed) {
  RandomWords random{seed};
  std::vector<T> values(count);
  for (auto& v : values)
    v = T(mean + deviation * (double(random() >> 11) * 0x1p-53 - 0.5) * 3.4641016151377544);
  return values;
}

template <class T>
constexpr Dtype kDtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;

template <class T>
Statistics of(const std::vector<T>& values) {
  return fanin::statistics({values.data(), kDtype<T>, {int64_t(values.size())}});
}

// Means to 1e-12 of the deviation, or the mean's last bit, and deviations to 1e-12, wherever the first value lies.
template <class T>
void accuracy(Tally& tally) {
  for (const double mean : {0.0, 1.0, 1e6})
    for (const double first : {0.0, 1e5})
      for (const size_t count : {1, 2, 15, 16, 17, 1000, 2048, 2049, 16384, 100001}) {
        auto values = noise<T>(count, mean, 1, count);
        values[0] = T(mean + first);
        long double sum = 0, square = 0;
        for (const T v : values)
          sum += v;
        const long double average = sum / count;
        for (const T v : values)
          square += (v - average) * (v - average);
        const auto deviation = double(sqrtl(square / count));
        const Statistics s = of(values);
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        const double tolerance = 1e-12 * deviation + 0x1p-52 * std::abs(double(average));
        tally.expect(s.count == count && s.finite == count && std::abs(s.mean - double(average)) <= tolerance &&
                         std::abs(s.deviation - deviation) <= 1e-12 * deviation && s.minimum == double(*low) &&
                         s.maximum == double(*high),
                     [&] {
                       return "statistics of " + std::to_string(count) + " values about " + std::to_string(mean) +
                              ": mean " + std::to_string(s.mean) + ", std " + std::to_string(s.deviation) +
                              ", is off by " + std::to_string((s.deviation / deviation - 1) * 1e12) + "e-12";
                     });
      }
}

// What is not finite, and zeros of both signs, at every place of a row of columns.
void special(Tally& tally) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (size_t place = 0; place < 40; ++place) {
    auto values = noise<float>(41, 3, 1, 9);
    auto rest = values;
    rest.erase(rest.begin() + int64_t(place));
    const Statistics clean = of(rest);
    for (const float odd : {infinity, -infinity, nan}) {
      values[place] = odd;
      const Statistics s = of(values);
      tally.expect(s.finite == 40 && s.nans == uint64_t(std::isnan(odd)) && s.infinities == uint64_t(std::isinf(odd)) &&
                       s.mean == clean.mean && s.deviation == clean.deviation && s.minimum == clean.minimum,
                   [&] { return "statistics with " + std::to_string(odd) + " at " + std::to_string(place); });
    }
    values[place] = 0, values[40] = -0.0f;
    tally.expect(of(values).zeros == 2, [&] { return "zeros at " + std::to_string(place) + " and 40"; });
  }
  for (const size_t count : {1, 16, 17, 40, 1999, 50001}) {
    const Statistics zeros = of(std::vector<float>(count, 0.0f)), nans = of(std::vector<float>(count, nan));
    const Statistics equal = of(std::vector<double>(count, 0.1));
    tally.expect(zeros.zeros == count && zeros.deviation == 0 && nans.nans == count && std::isnan(nans.mean) &&
                     std::isnan(nans.minimum) && equal.mean == 0.1 && equal.deviation == 0 && equal.zeros == 0,
                 [&] { return "statistics of " + std::to_string(count) + " equal values"; });
  }
  const Statistics none = fanin::statistics({nullptr, Dtype::float32, {0, 3}});
  tally.expect(none.count == 0 && std::isnan(none.mean), [] { return std::string("statistics of nothing"); });
}

// Sizes whose squares, or sums, float64 does not hold: known answers, and those of ordinary values times a power of two.
void sizes(Tally& tally) {
  constexpr double kMost = std::numeric_limits<double>::max(), kLeast = std::numeric_limits<double>::denorm_min();
  std::vector<double> mixed(40000, kMost), same(4096, 1e308), tiny(30000, 3 * kLeast);
  std::fill_n(mixed.begin(), 20000, -kMost);
  std::fill_n(tiny.begin(), 15000, kLeast);
  const Statistics m = of(mixed), s = of(same), t = of(tiny);
  tally.expect(std::abs(m.mean) <= 1e-12 * kMost && std::abs(m.deviation / kMost - 1) <= 1e-12 && s.mean == 1e308 &&
                   s.deviation == 0 && t.mean == 2 * kLeast && t.deviation == kLeast,
               [] { return std::string("statistics of the largest and smallest values"); });
  for (const double mean : {0.0, 1.0, 1e6}) {
    const auto values = noise<double>(50001, mean, 1, 5);
    const Statistics ordinary = of(values);
    for (const int exponent : {-900, -500, 440, 470, 505, 512, 1000}) {
      auto scaled = values;
      for (double& v : scaled)
        v = std::ldexp(v, exponent);
      const Statistics found = of(scaled);
      tally.expect(found.mean == std::ldexp(ordinary.mean, exponent) &&
                       found.deviation == std::ldexp(ordinary.deviation, exponent) && found.zeros == ordinary.zeros &&
                       found.maximum == std::ldexp(ordinary.maximum, exponent),
                   [&] { return "statistics about " + std::to_string(mean) + " times 2^" + std::to_string(exponent); });
    }
  }
}

// Every pattern of the short formats, by the formats' definitions.
void every_short_value(Tally& tally) {
  for (const auto& [dtype, exponent_bits] : {std::pair{Dtype::float16, 5}, std::pair{Dtype::bfloat16, 8}}) {
    const int fraction = 15 - exponent_bits, most = (1 << exponent_bits) - 1, bias = most / 2;
    for (uint32_t i = 0; i < 65536; ++i) {
      const auto pattern = uint16_t(i);
      const int exponent = pattern >> fraction & most, mantissa = pattern & ((1 << fraction) - 1);
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - bias - fraction)
                                             : std::ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
      const double value = pattern & 0x8000 ? -magnitude : magnitude;
      const Statistics s = fanin::statistics({&pattern, dtype, {}});
      const bool right = exponent < most ? s.finite == 1 && s.mean == value && s.zeros == uint64_t(value == 0)
                                         : s.nans == uint64_t(mantissa != 0) && s.infinities == uint64_t(mantissa == 0);
      tally.expect(right, [&, name = fanin::name(dtype)] { return hex(pattern) + " as " + name; });
    }
  }
}

void strides_and_threads(Tally& tally) {
  const auto values = noise<float>(64 * 33 * 50, 0.5, 1, 4);
  const Statistics whole = of(values);
  for (const int threads : {1, 2, 3, 7}) {
    fanin::set_thread_count(threads);
    tally.expect(same(of(values), whole), [&] { return std::to_string(threads) + " threads: other statistics"; });
  }
  fanin::set_thread_count(0);
  // The same elements in the same order, from memory in another.
  std::vector<float> turned(values.size()), spread(values.size() * 3);
  for (size_t i = 0; i < 64; ++i)
    for (size_t j = 0; j < 1650; ++j)
      turned[j * 64 + i] = values[i * 1650 + j];
  for (size_t i = 0; i < values.size(); ++i)
    spread[spread.size() - 1 - 3 * i] = values[i];
  const auto* const last = &spread[spread.size() - 1];
  tally.expect(same(fanin::statistics({turned.data(), Dtype::float32, {64, 33, 50}, {4, 256 * 50, 256}}), whole),
               [] { return std::string("statistics of a transposed array"); });
  tally.expect(same(fanin::statistics({last, Dtype::float32, {64, 1650}, {-12 * 1650, -12}}), whole),
               [] { return std::string("statistics of a reversed array"); });
}

// A known answer keeps the bits alike everywhere; no single change or exchange goes unseen.
void hashes(Tally& tally) {
  std::vector<uint64_t> words(5000);
  RandomWords random{1};
  for (auto& w : words)
    w = random() >> 2;  // no special values
  const Input input{words.data(), Dtype::float64, {int64_t(words.size())}};
  const Statistics s = fanin::statistics(input);
  tally.expect(s.hash == 0xfe756eb7c2772e2a && bits<uint64_t>(s.deviation) == 0x3fa82069af22f3f3, [&] {
    return "statistics of known words: hash " + hex(s.hash) + ", std " + hex(bits<uint64_t>(s.deviation));
  });
  for (size_t i = 0; i < words.size(); i += 7) {
    words[i] ^= uint64_t(1) << i % 62;
    const uint64_t changed = fanin::statistics(input).hash;
    words[i] ^= uint64_t(1) << i % 62;
    std::swap(words[i], words[(i + 16) % words.size()]);
    const uint64_t exchanged = fanin::statistics(input).hash;
    std::swap(words[i], words[(i + 16) % words.size()]);
    tally.expect(changed != s.hash && exchanged != s.hash,
                 [&] { return "hash after a change at " + std::to_string(i); });
  }
}

}  // namespace

void statistics(Tally& tally) {
  accuracy<float>(tally);
  accuracy<double>(tally);
  special(tally);
  sizes(tally);
  every_short_value(tally);
  strides_and_threads(tally);
  hashes(tally);
}

}  // namespace check
