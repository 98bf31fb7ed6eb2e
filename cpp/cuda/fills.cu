// Launches the fills on a GPU.
#include "cuda/fills.hpp"

#include "cuda/launch.cuh"
#include "cuda/module.hpp"

namespace fanin::cuda {
namespace {

// Calls f(launch) while the queue's device is current.
template <class Function>
void on(const Queue& queue, const Function& f) {
  const OnDevice current(queue.device);
  auto* const stream = static_cast<cudaStream_t>(queue.stream);
  f(gpu::Launch(stream));
  if (queue.wait) check(cudaStreamSynchronize(stream));
}

}  // namespace

void fill(const Draw& draw, const Region& region, const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill(draw, region, launch); });
}

void fill_constant(double value, Dtype dtype, const Region& region, const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill_constant(value, dtype, region, launch); });
}

void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, Dtype dtype, const Region& region,
                    const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill_broadcast(patterns, axis_step, dtype, region, launch); });
}

void fill_diagonal(const Diagonal& diagonal, uint64_t pattern, Dtype dtype, const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill_diagonal(diagonal, pattern, dtype, launch); });
}

void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill_sinusoid(table, dtype, data, launch); });
}

void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, const Region& region, const Queue& queue) {
  on(queue, [&](const auto& launch) { gpu::fill_step_bias(uniform, bias, dtype, region, launch); });
}

}  // namespace fanin::cuda
