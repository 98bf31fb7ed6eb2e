// The C++ interface: every distribution and dtype at a cache-resident and a large size, and orthogonal matrices, on one thread and
// on all.
// FANIN_FORCE_ISA=baseline|avx2|avx512|neon picks the instruction set.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "api/environment.hpp"
#include "api/fanin.hpp"

namespace {

constexpr int64_t kOrthogonal[][2] = {{64, 64}, {256, 256}, {1024, 1024}, {4096, 4096}, {65536, 256}, {256, 65536}};

using fanin::Dtype;
using Sampler = void (*)(const fanin::Part&, const fanin::Output&);

struct Distribution {
  const char* name;
  Sampler sample;
  std::vector<Dtype> dtypes;
};

const std::vector<Dtype> kFloats = {Dtype::float32, Dtype::bfloat16, Dtype::float16, Dtype::float64};
const std::vector<Distribution> kDistributions = {
    {"bits", [](const auto& part, const auto& out) { fanin::bits(part, out); }, {Dtype::uint32, Dtype::uint64}},
    {"uniform", [](const auto& part, const auto& out) { fanin::uniform(0, 1, part, out); }, kFloats},
    {"normal", [](const auto& part, const auto& out) { fanin::normal(0, 1, part, out); }, kFloats},
    {"truncated_normal",
     [](const auto& part, const auto& out) { fanin::truncated_normal(0, 1, -2, 2, true, part, out); }, kFloats},
};

void run(benchmark::State& state, Sampler sample, Dtype dtype, int64_t count, int threads) {
  fanin::set_thread_count(threads);
  std::vector<char> memory(size_t(count) * fanin::itemsize(dtype));
  const fanin::Part part{0, "weight", dtype, {count}};
  for (auto _ : state) {
    sample(part, {memory.data()});
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * int64_t(memory.size()));
}

void add(const Distribution& distribution, Dtype dtype, int64_t count, int threads) {
  const std::string name = std::string(distribution.name) + "/" + fanin::name(dtype) + "/" + std::to_string(count) +
                           "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(name.c_str(), run, distribution.sample, dtype, count, threads)->UseRealTime();
}

void run_orthogonal(benchmark::State& state, Dtype dtype, int64_t rows, int64_t columns, int threads) {
  fanin::set_thread_count(threads);
  std::vector<char> memory(size_t(rows * columns) * fanin::itemsize(dtype));
  const fanin::Part part{0, "weight", dtype, {rows, columns}};
  for (auto _ : state) {
    fanin::orthogonal(1, "OI", {}, part, {memory.data()});
    benchmark::ClobberMemory();
  }
  const double vectors = double(std::min(rows, columns)), length = double(std::max(rows, columns));
  state.counters["flops"] =
      benchmark::Counter(2 * vectors * vectors * (length - vectors / 3), benchmark::Counter::kIsIterationInvariantRate);
}

void add_orthogonal(Dtype dtype, int64_t rows, int64_t columns, int threads) {
  const std::string name = std::string("orthogonal/") + fanin::name(dtype) + "/" + std::to_string(rows) + "x" +
                           std::to_string(columns) + "/threads:" + std::to_string(threads);
  benchmark::RegisterBenchmark(name.c_str(), run_orthogonal, dtype, rows, columns, threads)->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) try {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::AddCustomContext("isa", fanin::active_isa());
  benchmark::AddCustomContext("threading", fanin::threading_backend());
  const int all = fanin::thread_count();
  for (const Distribution& distribution : kDistributions)
    for (const Dtype dtype : distribution.dtypes) {
      add(distribution, dtype, 1 << 15, 1);
      add(distribution, dtype, 1 << 24, 1);
      if (all > 1) add(distribution, dtype, 1 << 24, all);
    }
  for (const Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const auto& [rows, columns] : kOrthogonal) {
      add_orthogonal(dtype, rows, columns, 1);
      if (all > 1) add_orthogonal(dtype, rows, columns, all);
    }
  benchmark::RunSpecifiedBenchmarks();
} catch (const std::exception& error) {
  std::fprintf(stderr, "fanin_bench: %s\n", error.what());
  return 1;
}
