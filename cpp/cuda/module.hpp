// Declares the fills of fanin._cuda, which cuda/backend.hpp describes.
#pragma once

#include "cuda/backend.hpp"

namespace fanin::cuda {

void fill(const Draw& draw, const Region& region, const Queue& queue);
void fill_constant(double value, Dtype dtype, const Region& region, const Queue& queue);
void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, Dtype dtype, const Region& region,
                    const Queue& queue);
void fill_diagonal(const Diagonal& diagonal, uint64_t pattern, Dtype dtype, const Queue& queue);
void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Queue& queue);
void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, const Region& region, const Queue& queue);
bool draw_to_host(const Draw& draw, const Region& region, const Queue& queue, const std::function<bool()>& interrupt);

}  // namespace fanin::cuda
