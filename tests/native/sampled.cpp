#include "sampled.hpp"

#include <chrono>
#include <cstdio>
#include <functional>
#include <limits>
#include <mutex>
#include <vector>

#include "accuracy.hpp"
#include "core/gauss.hpp"
#include "cpu/parallel.hpp"
#include "random_words.hpp"
#include "references.hpp"

namespace check {
namespace {

using fanin::Transforms;

constexpr size_t kChunk = 1 << 12;

// A transform of a radius word and an angle word, or of the first alone.
template <class T, class Real>
struct Sample {
  const char* name;
  uint64_t count;
  std::function<void(const uint64_t* a, const uint64_t* b, T* out)> transform;  // kChunk of each
  std::function<Real(uint64_t a, uint64_t b, T found)> exact;
  double floor, limit;  // see Worst
};

// Half of the words are random, half have long runs of equal leading bits: the ends of the interval.
uint64_t ends(RandomWords& words, int bits) {
  const uint64_t w = words() >> (64 - bits), mask = ~uint64_t(0) >> (64 - bits), kind = words() % 4;
  if (kind < 2) return w;
  const uint64_t small = w >> words() % uint64_t(bits);
  return kind == 2 ? small : ~small & mask;
}

template <class Real, class Word>
Real coordinate(Word angle_word, bool second) {
  const Direction<Real> d(angle_word);
  return d.sign() * (second ? d.sine() : d.cosine());
}

template <class T, class Real>
bool run(const Sample<T, Real>& sample, uint64_t stride) {
  const auto start = std::chrono::steady_clock::now();
  const uint64_t chunks = sample.count / kChunk / stride + 1;
  Worst worst;
  std::mutex mutex;
  fanin::cpu::parallel_chunks(chunks, false, {}, [&](uint64_t chunk) {
    thread_local std::vector<uint64_t> a(kChunk), b(kChunk);
    thread_local std::vector<T> out(kChunk);
    RandomWords words{chunk << 32};
    for (size_t i = 0; i < kChunk; ++i)
      a[i] = ends(words, int(8 * sizeof(T))), b[i] = ends(words, int(8 * sizeof(T)));
    sample.transform(a.data(), b.data(), out.data());
    Worst here;
    for (size_t i = 0; i < kChunk; ++i)
      here.add(out[i], sample.exact(a[i], b[i], out[i]), sample.floor, a[i], b[i]);
    const std::lock_guard<std::mutex> lock(mutex);
    worst.merge(here);
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const bool passed = worst.ulp <= sample.limit;
  std::printf("%-6s %-30s %.3f ulp (limit %g) at words 0x%llx, 0x%llx; %.1e words, %.0f s\n", passed ? "ok" : "FAILED",
              sample.name, worst.ulp, sample.limit, (unsigned long long)worst.word,
              (unsigned long long)worst.second_word, double(chunks * kChunk), seconds.count());
  std::fflush(stdout);
  return passed;
}

bool float32_normals(const Transforms& t, uint64_t stride) {
  const auto radius_of = [](uint64_t a) { return radius((double(a) + 0.5) * 0x1p-32); };
  const auto both = [&t](const uint64_t* a, const uint64_t* b, float* out, bool second) {
    thread_local std::vector<float> other(kChunk);
    t.normal_f32(a, b, kChunk, second ? other.data() : out, second ? out : other.data());
  };
  const auto exact = [=](uint64_t a, uint64_t b, bool second) {
    return radius_of(a) * coordinate<double>(uint32_t(b), second);
  };
  const Sample<float, double> samples[] = {
      {"normal float32 cosine", uint64_t(1) << 28, [=](auto* a, auto* b, float* out) { both(a, b, out, false); },
       [=](uint64_t a, uint64_t b, float) { return exact(a, b, false); }, 0, 5},
      {"normal float32 sine", uint64_t(1) << 28, [=](auto* a, auto* b, float* out) { both(a, b, out, true); },
       [=](uint64_t a, uint64_t b, float) { return exact(a, b, true); }, 0, 5},
  };
  bool passed = true;
  for (const auto& sample : samples)
    passed = run(sample, stride) && passed;
  return passed;
}

using Wide = long double;

// The radius word whose float64 radius is 1: with it, normals are the direction itself.
constexpr uint64_t kUnitRadius = 2731571253070596ull << 12;

bool float64(const Transforms& t, uint64_t stride) {
  if (std::numeric_limits<Wide>::digits < 64) {
    std::printf("skipped float64: long double is no wider here\n");
    return true;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto both = [&t](const uint64_t* a, const uint64_t* b, double* out, bool second) {
    thread_local std::vector<double> other(kChunk);
    t.normal_f64(a, b, kChunk, second ? other.data() : out, second ? out : other.data());
  };
  const auto radius_of = [](uint64_t a) { return radius(Wide(2 * (a >> 12) + 1) * Wide(0x1p-53)); };
  const auto direction = [=](const uint64_t* b, double* out, bool second) {
    both(std::vector<uint64_t>(kChunk, kUnitRadius).data(), b, out, second);
  };
  const auto truncated = [&t](double low, double high) {
    fanin::Draw draw{};
    draw.least = low, draw.most = high;
    draw.window = fanin::host::make_window(true, 0, 1, low, high);
    return [&t, draw](auto* a, auto*, double* out) { t.truncated_f64(draw, a, kChunk, out); };
  };
  const auto quantile = [](auto excess, Wide bound) {
    return [=](uint64_t a, uint64_t, double x) {
      return corrected<Wide>(x, excess(x, probability(Wide(a >> 12) + Wide(0.5), Wide(0x1p52)), bound));
    };
  };
  constexpr uint64_t kCount = 1 << 24;
  const Sample<double, Wide> samples[] = {
      {"radius float64", kCount,
       [=](auto* a, auto*, double* out) { both(a, std::vector<uint64_t>(kChunk, 0).data(), out, false); },
       [=](uint64_t a, uint64_t, double) { return radius_of(a); }, 0, 1.4},
      {"cosine float64", kCount, [=](auto*, auto* b, double* out) { direction(b, out, false); },
       [](uint64_t, uint64_t b, double) { return coordinate<Wide>(b, false); }, 0, 2},
      {"sine float64", kCount, [=](auto*, auto* b, double* out) { direction(b, out, true); },
       [](uint64_t, uint64_t b, double) { return coordinate<Wide>(b, true); }, 0, 2},
      {"normal float64 cosine", kCount, [=](auto* a, auto* b, double* out) { both(a, b, out, false); },
       [=](uint64_t a, uint64_t b, double) { return radius_of(a) * coordinate<Wide>(b, false); }, 0, 4},
      {"normal float64 sine", kCount, [=](auto* a, auto* b, double* out) { both(a, b, out, true); },
       [=](uint64_t a, uint64_t b, double) { return radius_of(a) * coordinate<Wide>(b, true); }, 0, 4},
      {"truncated float64 -2 to 2", kCount, truncated(-2, 2), quantile(excess_symmetric<Wide>, 2), 1, 4},
      {"truncated float64 0 to inf", kCount, truncated(0, kInfinity), quantile(excess_above<Wide>, 0), 1, 4},
      {"truncated float64 -inf to inf", kCount, truncated(-kInfinity, kInfinity), quantile(excess_unbounded<Wide>, 0),
       1, 4},
      {"truncated float64 3 to inf", kCount, truncated(3, kInfinity), quantile(excess_above<Wide>, 3), 1, 4.5},
      {"truncated float64 6 to inf", kCount, truncated(6, kInfinity), quantile(excess_above<Wide>, 6), 1, 1.5},
  };
  bool passed = true;
  for (const auto& sample : samples)
    passed = run(sample, stride) && passed;
  return passed;
}

}  // namespace

bool sampled(const Transforms& transforms, uint64_t stride) {
  const bool narrow = float32_normals(transforms, stride), wide = float64(transforms, stride);
  return narrow && wide;
}

}  // namespace check
