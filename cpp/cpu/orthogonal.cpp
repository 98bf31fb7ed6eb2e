#include "cpu/orthogonal.hpp"

#include <algorithm>
#include <memory>

#include "cpu/dispatch.hpp"
#include "cpu/orthogonal_blocked.hpp"
#include "cpu/orthogonal_streamed.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kSmallBytes = kMiB;           // a matrix of up to this size is made by one thread
constexpr int64_t kLongest = int64_t(1) << 40;  // coordinates of a vector: no memory holds more, and no size overflows
constexpr double kSerialFlops = 2e6;            // so few operations are not worth waking a thread for
constexpr double kMostTogether = 64;            // matrices that a task makes, one after another in the same memory

template <class T>
void make_all(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix>& matrices,
              const std::vector<Coordinates>& where, const ReflectorKernels<T>& kernels, const Interrupt& interrupt) {
  std::vector<size_t> small;
  double most = 1;  // operations for a small one
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
      small.push_back(i), most = std::max(most, flops);
    else
      blocked.make(Runner(flops < kSerialFlops, interrupt));
  }
  const auto together = size_t(std::clamp(kSerialFlops / most, 1.0, kMostTogether));
  parallel_chunks((small.size() + together - 1) / together, small.size() == 1, interrupt, [&](uint64_t task) {
    std::unique_ptr<Buffer<T>> memory;
    for (size_t i = task * together; i < std::min(small.size(), (task + 1) * together); ++i) {
      const Blocked<T> blocked(maker(small[i]));
      if (!memory || memory->bytes() < blocked.workspace() * int64_t(sizeof(T)))
        memory = std::make_unique<Buffer<T>>(blocked.workspace());
      blocked.make(Runner(true, interrupt), memory->get());
    }
  });
}

}  // namespace

void orthogonal(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix> matrices,
                const std::vector<Coordinates>& where, const Interrupt& interrupt) {
  const OrthogonalKernels& kernels = *active_kernels().orthogonal;
  if (draw.dtype == Dtype::float64)
    make_all(draw, matrices, where, kernels.twice, interrupt);
  else
    make_all(draw, matrices, where, kernels.single, interrupt);
}

}  // namespace fanin::cpu
