// Every one of the 2^32 words through every function of one word: fanin_exhaustive [stride], which tries one word in
// `stride`. Exits with 1 where an error exceeds what docs/stream-v1.md states.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "accuracy.hpp"
#include "core/gauss.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/parallel.hpp"
#include "references.hpp"
#include "sampled.hpp"

namespace check {
namespace {

using fanin::Draw;
using fanin::Transforms;

constexpr uint64_t kWords = uint64_t(1) << 32, kChunk = 1 << 16;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Case {
  const char* name;
  Transforms::Consecutive transform;
  Draw draw;
  std::function<double(uint32_t word, double found)> exact;
  double low, high;  // what no value may leave
  double floor;      // see Worst
  double limit;      // ulp
  // Neighbouring words whose values are ordered unlike the exact ones, and words that give `low` or `high` itself.
  uint64_t most_disordered, most_at_bounds;
};

struct Found {
  Worst worst;
  float minimum = float(kInfinity), maximum = -float(kInfinity);
  uint64_t disordered = 0, at_bounds = 0;

  void merge(const Found& other) {
    worst.merge(other.worst);
    minimum = std::min(minimum, other.minimum), maximum = std::max(maximum, other.maximum);
    disordered += other.disordered, at_bounds += other.at_bounds;
  }
};

// The exact functions are monotone within a chunk, so among words of equal value the first or the last is worst: only
// those are compared.
Found scan(const Case& c, uint32_t first) {
  thread_local std::vector<float> v(kChunk + 256);
  c.transform(c.draw, first, v.size(), v.data());
  const auto rises = [&](size_t from, size_t to) {
    return c.exact(first + uint32_t(from), v[from]) < c.exact(first + uint32_t(to), v[to]);
  };
  Found found;
  const bool rising = rises(0, kChunk - 1);
  for (size_t begin = 0, end; begin < kChunk; begin = end) {
    const float value = v[begin];
    for (end = begin + 1; end < kChunk && v[end] == value;)
      ++end;
    for (const size_t i : {begin, end - 1})
      found.worst.add(value, c.exact(first + uint32_t(i), value), c.floor, first + i);
    found.minimum = std::min(found.minimum, value), found.maximum = std::max(found.maximum, value);
    if (begin > 0 && (v[begin - 1] < value) != rising) ++found.disordered;
    if (double(value) == c.low || double(value) == c.high) found.at_bounds += end - begin;
  }
  const float last = v[kChunk - 1], next = v[kChunk];  // of the next chunk, if there is one
  if (first + kChunk < kWords && last != next && (last < next) != rises(kChunk - 1, kChunk)) ++found.disordered;
  return found;
}

bool run(const Case& c, uint64_t stride) {
  const auto start = std::chrono::steady_clock::now();
  Found all;
  std::mutex mutex;
  fanin::cpu::parallel_chunks(kWords / kChunk / stride, false, {}, [&](uint64_t chunk) {
    const Found found = scan(c, uint32_t(chunk * stride * kChunk));
    const std::lock_guard<std::mutex> lock(mutex);
    all.merge(found);
  });
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const bool passed = all.worst.ulp <= c.limit && all.minimum >= c.low && all.maximum <= c.high &&
                      all.disordered <= c.most_disordered && all.at_bounds <= c.most_at_bounds;
  std::printf(
      "%-6s %-22s %.6f ulp (limit %g) at word 0x%08llx, values %.9g to %.9g, %llu at the bounds, %llu out of order, "
      "%.0f s\n",
      passed ? "ok" : "FAILED", c.name, all.worst.ulp, c.limit, (unsigned long long)all.worst.word, all.minimum,
      all.maximum, (unsigned long long)all.at_bounds, (unsigned long long)all.disordered, seconds.count());
  std::fflush(stdout);
  return passed;
}

Draw window(double low, double high) {
  Draw draw{};
  draw.least = low, draw.most = high;
  draw.window = fanin::host::make_window(false, 0, 1, low, high);
  return draw;
}

using Excess = double (*)(double x, const Probability<double>& u, double bound);
std::function<double(uint32_t, double)> quantile(Excess excess, double bound) {
  return [=](uint32_t w, double x) { return corrected(x, excess(x, probability(w + 0.5, 0x1p32), bound)); };
}

std::vector<Case> cases(const Transforms& t) {
  const auto unit = [](uint32_t w, double) { return double(2 * uint64_t(w >> 9) + 1) * 0x1p-24; };
  const auto length = [](uint32_t w, double) { return radius((w + 0.5) * 0x1p-32); };
  const auto cosine = [](uint32_t w, double) { return Direction<double>(w).cosine(); };
  const auto sine = [](uint32_t w, double) { return Direction<double>(w).sine(); };
  const auto from = [](double low, double high) {
    return [=](uint32_t w, double x) {
      const Probability<double> u = probability(w + 0.5, 0x1p32);
      return corrected(x, from_mean(x) - u.above * from_mean(low) - u.below * from_mean(high));
    };
  };
  return {
      {"unit", t.unit, {}, unit, 0x1p-24, 1 - 0x1p-24, 0, 0, 0, 1024},
      {"radius", t.radius, {}, length, 0, 6.7638, 0, 1.79, 4300, 0},
      {"cosine", t.cosine, {}, cosine, -1, 1, 0, 2.77, 0, kWords},
      {"sine", t.sine, {}, sine, -1, 1, 0, 2.77, 0, kWords},
      {"truncated -2 to 2", t.truncated, window(-2, 2), quantile(excess_symmetric<double>, 2), -2, 2, 0, 4.15, 5500000,
       10},
      {"truncated 0 to inf", t.truncated, window(0, kInfinity), quantile(excess_above<double>, 0), 0, kInfinity, 0,
       3.45, 1000000, 0},
      {"truncated -inf to inf", t.truncated, window(-kInfinity, kInfinity), quantile(excess_unbounded<double>, 0),
       -kInfinity, kInfinity, 0, 3.45, 3600000, 0},
      // Below 1/8 it shows that the window's probabilities are rounded to float32.
      {"truncated -1 to 3", t.truncated, window(-1, 3), from(-1, 3), -1, 3, 0.125, 4.45, 5900000, 80},
      {"truncated 2 to 3", t.truncated, window(2, 3), from(2, 3), 2, 3, 0, 0.5001, 0, 1398},
      {"truncated 6 to inf", t.truncated, window(6, kInfinity), quantile(excess_above<double>, 6), 6, kInfinity, 0,
       0.5001, 0, 6306},
  };
}

const Transforms& active_transforms() {
#if defined(__aarch64__)
  return fanin::neon::transforms;
#else
  const std::string active = fanin::cpu::active_kernels().isa;
  for (const Transforms* t : {&fanin::avx512::transforms, &fanin::avx2::transforms})
    if (active == t->isa) return *t;
  return fanin::baseline::transforms;
#endif
}

}  // namespace
}  // namespace check

int main(int argc, char** argv) {
  const long stride = argc > 1 ? std::atol(argv[1]) : 1;
  if (stride < 1 || stride > 65536) {
    std::fprintf(stderr, "stride must be between 1 and 65536, got '%s'\n", argv[1]);
    return 2;
  }
  try {
    const fanin::Transforms& transforms = check::active_transforms();
    std::printf("%s, one word in %ld\n", transforms.isa, stride);
    bool passed = true;
    for (const auto& c : check::cases(transforms))
      passed = check::run(c, uint64_t(stride)) && passed;
    return check::sampled(transforms, uint64_t(stride)) && passed ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
