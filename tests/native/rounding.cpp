// No bit depends on how the calling thread rounds, or on whether it takes subnormal numbers for zero: without Python, too.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "api/expression.hpp"
#include "api/fanin.hpp"
#include "check.hpp"
#include "core/fp_environment.hpp"
#include "cpu/parallel.hpp"

namespace {

using namespace fanin;
using Bytes = std::vector<uint8_t>;

#if defined(__aarch64__)
constexpr uint64_t kRounding = 1ull << 22, kFlush = 1ull << 24;
#else
constexpr uint64_t kRounding = 1ull << 13, kFlush = 1ull << 15 | 1ull << 6;  // results and operands
#endif

// Sets one of the four rounding modes in this thread, and perhaps that subnormals count as zero.
class Unusual {
 public:
  Unusual(int rounding, bool flush) : saved_(FpEnvironment::state()) {
    FpEnvironment::set(FpEnvironment::kIeee754 | uint64_t(rounding) * kRounding | (flush ? kFlush : 0));
  }
  ~Unusual() { FpEnvironment::set(saved_); }
  Unusual(const Unusual&) = delete;
  Unusual& operator=(const Unusual&) = delete;

 private:
  uint64_t saved_;
};

template <class Function, class... Own>
Bytes drawn(Dtype dtype, const std::vector<int64_t>& shape, const Function& function, const Own&... own) {
  size_t size = itemsize(dtype);
  for (const int64_t axis : shape)
    size *= size_t(axis);
  Bytes bytes(size);
  function(own..., Part{3, "w", dtype, shape}, Output{bytes.data()}, Interrupt());
  return bytes;
}

template <class T>
Bytes bytes_of(const T& value) {
  const auto* data = reinterpret_cast<const uint8_t*>(&value);
  return {data, data + sizeof value};
}

struct Drawn {
  std::string what;
  Bytes bytes;
};

// Calls every function of the API that computes with floating-point numbers.
std::vector<Drawn> everything() {
  std::vector<Drawn> all;
  const std::vector<int64_t> convolution{6, 4, 3};
  for (const Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16}) {
    const auto add = [&](const char* function, Bytes bytes) {
      all.push_back({std::string(function) + " in " + name(dtype), std::move(bytes)});
    };
    add("uniform", drawn(dtype, {7}, uniform, -0.1, 0.3));
    add("normal", drawn(dtype, {7}, normal, 1e-310, 0.1));
    add("truncated_normal", drawn(dtype, {7}, truncated_normal, 0.1, 0.3, -2.1, 1.7, true));
    add("truncated_normal", drawn(dtype, {7}, truncated_normal, 0.1, 0.3, 3.1, INFINITY, false));
    add("truncated_normal of std 0", drawn(dtype, {7}, truncated_normal, 0.1, 0.0, -2.0, 2.0, true));
    add("constant", drawn(dtype, {7}, constant, 0.1));
    add("step_bias", drawn(dtype, {7}, step_bias, 1e-3, 0.1, 1e-4));
    add("orthogonal", drawn(dtype, {110, 100}, orthogonal, 1.1, "OI", std::vector<int64_t>()));
    add("orthogonal", drawn(dtype, {6, 4}, orthogonal, 1.1, "OI", std::vector<int64_t>{3, 3}));
    add("haar", drawn(dtype, {3, 5, 5}, haar, 1.1, true));
    add("delta_orthogonal", drawn(dtype, convolution, delta_orthogonal, 1.1, "OI"));
    add("sparse", drawn(dtype, {60, 40}, sparse, 0.1, 11, true, "OI"));
    add("dirac", drawn(dtype, convolution, dirac, 0.1, 2, "OI"));
    add("broadcast", drawn(dtype, {2, 3}, broadcast, std::vector<double>{0.1, 1e-310, 0.3}, 1));
    add("sinusoid",
        drawn(dtype, {50, 4}, sinusoid, std::vector<double>{0.1, 1e-3}, std::vector<double>{1e-18, 0}, true));
  }
  const std::vector<Step> steps{{"exponential", {}, {0.3}, "a"},
                                {"log_normal", {}, {0.1, 0.7}, "b"},
                                {"bernoulli", {}, {0.3}, "c"},
                                {"constant", {}, {0.1}},
                                {"fma", {0, 1, 3}},
                                {"log1p", {4}},
                                {"divide", {5, 3}},
                                {"fma", {2, 3, 6}}};
  for (const Dtype dtype : {Dtype::float32, Dtype::float64})
    all.push_back({"expression", drawn(dtype, {50}, expression, steps)});
  const std::vector<int64_t> large{200, 165};  // for several threads
  const Bytes values = drawn(Dtype::float32, large, normal, 1e-38, 0.1);
  all.push_back({"normal", values});
  const Statistics found = statistics({values.data(), Dtype::float32, large});
  all.push_back({"statistics' mean", bytes_of(found.mean)});
  all.push_back({"statistics' std", bytes_of(found.deviation)});
  all.push_back({"truncated_std", bytes_of(truncated_std(0.7))});
  return all;
}

}  // namespace

void check::rounding(Tally& tally) {
  const std::vector<Drawn> expected = everything();
  std::vector<std::vector<double>> seen;
  for (int rounding = 0; rounding < 4; ++rounding) {
    for (const bool flush : {false, true}) {
      // In a thread of its own, whose helpers are new as well: the first region makes them in this environment.
      std::thread([&] {
        const Unusual environment(rounding, flush);
        const std::string label = "rounding mode " + std::to_string(rounding) + (flush ? ", no subnormals" : "");
        std::atomic<bool> guarded{true};
        cpu::parallel_chunks(1000, false, {}, [&](uint64_t) { guarded = guarded && FpEnvironment::is_ieee754(); });
        tally.expect(guarded, [&] { return label + ": helpers are guarded"; });
        const std::vector<Drawn> found = everything();
        for (size_t i = 0; i < expected.size(); ++i)
          tally.expect(found[i].bytes == expected[i].bytes, [&] { return label + ": " + expected[i].what; });
        // The caller's environment is as it was: each of the eight computes something of its own.
        const volatile double one = 1, three = 3, five = 5, tiny = 1e-310;
        const volatile double third = one / three, negative = -one / three, fifth = one / five, scaled = tiny * 0x1p60;
        const std::vector<double> own{third, negative, fifth, scaled};
        tally.expect(std::find(seen.begin(), seen.end(), own) == seen.end(),
                     [&] { return label + " is left as it was"; });
        seen.push_back(own);
      }).join();
    }
  }
}
