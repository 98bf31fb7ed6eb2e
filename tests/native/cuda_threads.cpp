// What a GPU's threads do, run one by one on the host: the same functions of the thread's number, and the same choice of them.
// With FANIN_PTX, as nvcc compiled them.
#include <memory>
#include <vector>

#include "api/fanin.hpp"
#include "check.hpp"
#include "cuda/backend.hpp"
#include "cuda/fills.hpp"
#ifdef FANIN_PTX
#include "ptx_launch.hpp"
#endif

namespace check {
namespace {

namespace gpu = fanin::FANIN_ISA;

using fanin::Dtype;
using fanin::Part;
using fanin::Queue;

// Threads in descending order: none may depend on an earlier one.
struct Launch {
  template <class Job>
  void operator()(const Job& job) const {
#ifdef FANIN_PTX
    ptx::launch(job, job.size());
#else
    for (uint64_t t = job.size(); t-- > 0;)
      job(t);
#endif
  }
  std::unique_ptr<uint64_t[]> table(const uint64_t* words, size_t count) const {
    auto copy = std::make_unique<uint64_t[]>(count);
    gpu::upload(words, count, copy.get(), *this);
    return copy;
  }
};

const fanin::cuda::Backend kThreads = {
    [](const fanin::Draw& d, const fanin::Region& r, const Queue&) { gpu::fill(d, r, Launch()); },
    [](double v, Dtype t, const fanin::Region& r, const Queue&) { gpu::fill_constant(v, t, r, Launch()); },
    [](const std::vector<uint64_t>& p, int64_t step, Dtype t, const fanin::Region& r, const Queue&) {
      gpu::fill_broadcast(p, step, t, r, Launch());
    },
    [](const fanin::Diagonal& d, uint64_t p, Dtype t, const Queue&) { gpu::fill_diagonal(d, p, t, Launch()); },
    [](const fanin::SinusoidTable& s, Dtype t, char* data, const Queue&) { gpu::fill_sinusoid(s, t, data, Launch()); },
    [](const fanin::Draw& u, const fanin::StepBias& b, Dtype t, const fanin::Region& r, const Queue&) {
      gpu::fill_step_bias(u, b, t, r, Launch());
    },
    nullptr};

// A part, and where it goes in memory that nothing else may touch.
struct Case {
  std::vector<int64_t> shape;
  std::vector<fanin::AxisSlice> box;
  std::vector<int64_t> strides;  // in elements; empty: C order
  int64_t offset;                // of the first element
};

// Elements that a case's output spans, from the lowest address on, and where the first lies among them.
std::pair<int64_t, int64_t> extent(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  int64_t below = 0, above = 0;
  for (size_t i = 0; i < shape.size(); ++i)
    (strides[i] < 0 ? below : above) += strides[i] * (shape[i] - 1);
  return {above - below + 1, -below};
}

template <class Draw>
void compare(Tally& tally, const std::string& what, Dtype dtype, const Case& c, const Draw& draw) {
  const Part part{0x123456789abcdef0u, "cuda", dtype, c.shape, c.box};
  const std::vector<int64_t> shape = fanin::result_shape(part);
  const auto size = int64_t(fanin::itemsize(dtype));
  std::vector<int64_t> strides = c.strides;
  if (strides.empty()) {
    strides.resize(shape.size());
    int64_t stride = 1;
    for (size_t i = shape.size(); i-- > 0; stride *= shape[i])
      strides[i] = stride;
  }
  const auto [span, lowest] = extent(shape, strides);
  for (auto& stride : strides)
    stride *= size;
  const int64_t total = (span + c.offset + 64) * size;
  std::vector<uint64_t> memory[2];
  for (int gpu = 0; gpu < 2; ++gpu) {
    memory[gpu].assign(size_t(total / 8 + 1), 0xa5a5a5a5a5a5a5a5u);
    char* const data = reinterpret_cast<char*>(memory[gpu].data()) + (lowest + c.offset) * size;
    fanin::Output out{data, strides, {}};
    if (gpu) out.queue = Queue{0, nullptr};
    draw(part, out);
  }
  tally.expect(memory[0] == memory[1], [&] {
    std::string text = what + " in " + fanin::name(dtype) + ", shape";
    for (const int64_t n : c.shape)
      text += " " + std::to_string(n);
    return text + ", offset " + std::to_string(c.offset) + ": threads differ from the processor";
  });
}

const std::vector<Dtype> kFloats = {Dtype::float32, Dtype::float64, Dtype::float16, Dtype::bfloat16};

// Lengths about those of a thread's share, a tile and a run; every alignment; slices and strides of all kinds.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int64_t n : {1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000})
    all.push_back({{n}, {}, {}, 0});
  for (int64_t offset = 1; offset < 9; ++offset)
    all.push_back({{300}, {}, {}, offset});
  for (const int64_t start : {1, 5, 32, 100, 128, 129})
    all.push_back({{4096}, {{start, 1, 600}}, {}, 0});
  all.push_back({{int64_t(1) << 62}, {{(int64_t(1) << 39) - 200, 1, 400}}, {}, 0});  // the counter's upper half changes
  all.push_back({{int64_t(1) << 17}, {}, {}, 0});                                    // what is rare
  all.push_back({{int64_t(1) << 18}, {{1, 2, int64_t(1) << 17}}, {}, 0});
  all.push_back({{int64_t(1) << 33, 3, 5}, {{(int64_t(1) << 32) - 20, 1, 40}, {0, 1, 3}, {0, 1, 5}}, {}, 0});
  all.push_back({{4096}, {{4095, -1, 300}}, {}, 0});
  all.push_back({{4096}, {{7, 3, 300}}, {}, 0});
  all.push_back({{40, 300}, {{2, 3, 9}, {5, 1, 200}}, {}, 0});       // runs that begin anywhere in a tile
  all.push_back({{40, 256}, {{30, -2, 9}, {128, 1, 100}}, {}, 0});   // at the same place of a tile, backwards
  all.push_back({{40, 300}, {{2, 1, 9}, {5, 1, 1, false}}, {}, 0});  // a column
  all.push_back({{17, 70}, {}, {1, 17}, 3});                         // a transposed output
  all.push_back({{17, 70}, {}, {-90, 1}, 1});                        // rows backwards, with room between them
  all.push_back({{17, 70}, {}, {140, 2}, 0});
  all.push_back({{5, 6, 7, 40}, {{0, 1, 5}, {1, 2, 2}, {0, 1, 7}, {3, 1, 35}}, {}, 0});
  all.push_back({{2, 3, 2, 3, 2, 3, 2, 3, 2, 35},  // more axes than a Box has
                 {{0, 1, 2},
                  {0, 2, 2},
                  {1, -1, 2},
                  {0, 2, 2},
                  {0, 1, 2},
                  {0, 2, 2},
                  {1, -1, 2},
                  {0, 2, 2},
                  {0, 1, 2},
                  {1, 1, 33}},
                 {},
                 0});
  return all;
}

// No factor is a power of two: products are rounded, and it shows whether they are before a sum is.
void distributions(Tally& tally) {
  const double kInfinity = __builtin_huge_val();
  for (const Case& c : cases()) {
    for (const Dtype dtype : {Dtype::uint32, Dtype::uint64})
      compare(tally, "bits", dtype, c, [](const auto& part, const auto& out) { fanin::bits(part, out); });
    for (const Dtype dtype : kFloats) {
      compare(tally, "uniform", dtype, c,
              [](const auto& part, const auto& out) { fanin::uniform(-0.3, 1.6, part, out); });
      compare(tally, "normal", dtype, c, [](const auto& part, const auto& out) { fanin::normal(0.1, 0.3, part, out); });
      compare(tally, "constant", dtype, c, [](const auto& part, const auto& out) { fanin::constant(-0.1, part, out); });
      compare(tally, "truncated_normal", dtype, c,
              [](const auto& part, const auto& out) { fanin::truncated_normal(0.5, 0.7, -2, 2, true, part, out); });
      compare(tally, "truncated_normal, whole", dtype, c, [&](const auto& part, const auto& out) {
        fanin::truncated_normal(0.1, 1e-3, -kInfinity, kInfinity, true, part, out);
      });
      compare(tally, "truncated_normal, nearly a tail", dtype, c,
              [](const auto& part, const auto& out) { fanin::truncated_normal(0.1, 0.7, 4.9, 9, true, part, out); });
      compare(tally, "truncated_normal, tail", dtype, c,
              [](const auto& part, const auto& out) { fanin::truncated_normal(0.1, 0.7, 6, 9, true, part, out); });
      compare(tally, "step_bias", dtype, c,
              [](const auto& part, const auto& out) { fanin::step_bias(1e-3, 0.1, 1e-4, part, out); });
      for (size_t axis = 0; axis < c.shape.size(); ++axis) {
        if (c.shape[axis] > 4096) continue;
        std::vector<double> values;
        for (int64_t i = 0; i < c.shape[axis]; ++i)
          values.push_back(0.1 * double(i % 97) - 3);
        compare(tally, "broadcast", dtype, c,
                [&](const auto& part, const auto& out) { fanin::broadcast(values, int64_t(axis), part, out); });
      }
    }
  }
}

void places(Tally& tally) {
  for (const Dtype dtype : kFloats) {
    for (const auto layout : {"OI", "IO"}) {
      const auto dirac = [&](const auto& part, const auto& out) { fanin::dirac(0.7, 2, layout, part, out); };
      compare(tally, "dirac", dtype, {{8, 6, 3, 8}, {}, {}, 0}, dirac);
      compare(tally, "dirac", dtype, {{8, 6, 3, 8}, {{6, -2, 3}, {0, 1, 6}, {1, 1, 1, false}, {1, 3, 2}}, {}, 2},
              dirac);
      compare(tally, "dirac", dtype,
              {{int64_t(1) << 34, 6, int64_t(1) << 24},
               {{(int64_t(1) << 33) - 9, 1, 40}, {0, 1, 6}, {(1 << 23) - 2, 1, 3}},
               {},
               0},
              dirac);
      compare(tally, "dirac", dtype, {{6, 40}, {{0, 1, 6}, {39, -1, 40}}, {1, 6}, 0}, dirac);
    }
    for (const auto layout : {"BOOHI", "OIBWO", "IXOIO"}) {
      const auto dirac = [&](const auto& part, const auto& out) { fanin::dirac(0.7, 2, layout, part, out); };
      compare(tally, "dirac", dtype, {{4, 6, 2, 3, 8}, {}, {}, 0}, dirac);
      compare(tally, "dirac", dtype,
              {{4, 6, 2, 3, 8}, {{3, -2, 2}, {0, 1, 6}, {0, 1, 2}, {1, 1, 1, false}, {1, 3, 2}}, {}, 2}, dirac);
    }
    std::vector<double> high, low;
    for (int i = 0; i < 301; ++i)
      high.push_back(0.159 / (1 + i)), low.push_back(1e-18 * i);
    for (const bool interleaved : {false, true}) {
      const auto sinusoid = [&](const auto& part, const auto& out) {
        fanin::sinusoid(high, low, interleaved, part, out);
      };
      compare(tally, "sinusoid", dtype, {{50, 601}, {}, {}, 0}, sinusoid);
      compare(tally, "sinusoid", dtype, {{50, 601}, {{49, -3, 10}, {600, -2, 300}}, {1, 11}, 5}, sinusoid);
    }
  }
}

template <class Function>
bool refuses(const Function& f) {
  try {
    f();
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

void refusals(Tally& tally) {
  alignas(8) char memory[64];
  const Part part{0, "", Dtype::float32, {3}, {}};
  const auto unaligned = [&](char* data, int64_t stride) {
    return refuses([&] { fanin::normal(0, 1, part, {data, {stride}, Queue{0, nullptr}}); });
  };
  tally.expect(unaligned(memory + 2, 4), [] { return std::string("memory between elements is refused"); });
  tally.expect(unaligned(memory, 6), [] { return std::string("strides between elements are refused"); });
  tally.expect(!unaligned(memory, -8 + 16), [] { return std::string("whole strides are taken"); });
}

}  // namespace

}  // namespace check

int main() {
#ifdef __x86_64__
  if (!__builtin_cpu_supports("fma")) {
    std::printf("left out: the processor has no fma\n");
    return 0;
  }
#endif
  check::Tally tally;
  fanin::cuda::set_backend(&check::kThreads);
  check::distributions(tally);
  check::places(tally);
  check::refusals(tally);
#ifdef FANIN_PTX
  std::printf("%zu kernels, ", ptx::launched().size());
#endif
  std::printf("%lu passed, %lu failed\n", tally.passed, tally.failed);
  return tally.failed == 0 ? 0 : 1;
}
