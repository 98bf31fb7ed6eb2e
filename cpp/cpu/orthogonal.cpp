#include "cpu/orthogonal.hpp"

#include <algorithm>

#include "core/fp_environment.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/orthogonal_blocked.hpp"
#include "cpu/orthogonal_streamed.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kSmallBytes = kMiB;           // a matrix of up to this size is made by one thread
constexpr int64_t kLongest = int64_t(1) << 40;  // coordinates of a vector: no memory holds more, and no size overflows
constexpr double kSerialFlops = 2e6;            // so few operations are not worth waking a thread for

template <class T>
void make_all(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix>& matrices,
              const std::vector<Coordinates>& where, const ReflectorKernels<T>& kernels, const Interrupt& interrupt) {
  std::vector<size_t> small;
  const auto maker = [&](size_t i) { return Maker<T>{draw, matrices[i], where[i], kernels}; };
  for (size_t i = 0; i < matrices.size(); ++i) {
    auto& m = matrices[i];
    if (m.length > kLongest) throw std::bad_alloc();
    std::sort(m.vectors.begin(), m.vectors.end(), [](const auto& x, const auto& y) { return x.number < y.number; });
    const double flops = 2.0 * double(m.length) * double(m.vectors.size()) * double(m.vectors.back().number + 1);
    if (Streamed<T>::suits(m)) {
      Streamed<T>(maker(i)).make(Runner(flops < kSerialFlops, interrupt));
      continue;
    }
    const Blocked<T> blocked(maker(i));
    if (blocked.bytes() <= kSmallBytes && (matrices.size() > 1 || flops < kSerialFlops))
      small.push_back(i);
    else
      blocked.make(Runner(flops < kSerialFlops, interrupt));
  }
  parallel_chunks(small.size(), small.size() == 1, interrupt,
                  [&](uint64_t i) { Blocked<T>(maker(small[i])).make(Runner(true, interrupt)); });
}

}  // namespace

void orthogonal(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix> matrices,
                const std::vector<Coordinates>& where, const Interrupt& interrupt) {
  const FpEnvironment environment;
  const OrthogonalKernels& kernels = *active_kernels().orthogonal;
  if (draw.dtype == Dtype::float64)
    make_all(draw, matrices, where, kernels.twice, interrupt);
  else
    make_all(draw, matrices, where, kernels.single, interrupt);
}

}  // namespace fanin::cpu
