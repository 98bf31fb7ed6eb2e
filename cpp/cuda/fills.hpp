// Divides what is to be filled among threads. `launch(job)` runs job(t) for every t below job.size();
// `launch.table(words)` is a copy of the words that jobs can read as long as it lives.
#pragma once

#include <cstdlib>
#include <stdexcept>

#include "cuda/elements.hpp"

namespace fanin::FANIN_ISA {

constexpr int64_t kShortRun = 32;  // shorter contiguous runs are filled more quickly element by element

// An access that is not aligned ends the whole program on a GPU, so it is refused.
inline void require_aligned(size_t itemsize, const Region& region) {
  const auto size = int64_t(itemsize);
  bool aligned = reinterpret_cast<uintptr_t>(region.data) % itemsize == 0;
  for (const Axis& axis : region.axes)
    aligned = aligned && (axis.count == 1 || axis.stride % size == 0);
  if (!aligned) throw std::invalid_argument("out must be aligned to its dtype's size on a GPU");
}

// Calls f(region) once if a Box can hold the axes, else for every position on the outermost of them.
template <class Function>
void in_boxes(Region region, const Function& f) {
  if (region.axes.size() <= size_t(kMostAxes)) return f(region);
  const Axis outer = region.axes.front();
  region.axes.erase(region.axes.begin());
  for (int64_t i = 0; i < outer.count; ++i)
    in_boxes(Region{region.first + uint64_t(i * outer.step), region.data + i * outer.stride, region.axes}, f);
}

// Orders the axes so that neighbouring threads write neighbouring elements.
template <class Function, class Launch>
void fill_each(const Function& function, Region region, const Launch& launch) {
  std::stable_sort(region.axes.begin(), region.axes.end(),
                   [](const Axis& a, const Axis& b) { return std::abs(a.stride) > std::abs(b.stride); });
  in_boxes(std::move(region), [&](const Region& part) { launch(Each<Function>(function, part)); });
}

template <class Sampling, class Launch>
void fill_sampled(const typename Sampling::Sampler& sampler, const Draw& draw, Region region, const Launch& launch) {
  const Source<Sampling> source(sampler, draw);
  require_aligned(itemsize(Sampling::dtype), region);
  simplify(region);
  const Axis inner = region.axes.back();
  if constexpr (kTiled<typename Sampling::Sampler>) {
    if (inner.step == 1 && inner.stride == int64_t(itemsize(Sampling::dtype)) && inner.count >= kShortRun)
      return in_boxes(std::move(region), [&](const Region& part) { launch(Tiles<Sampling>(source, part)); });
  }
  fill_each(source, std::move(region), launch);
}

template <class Launch>
void fill(const Draw& draw, const Region& region, const Launch& launch) {
  with_sampling<S>(draw, [&](auto sampling) {
    fill_sampled<decltype(sampling)>(typename decltype(sampling)::Sampler(draw), draw, region, launch);
  });
}

template <class Launch>
void fill_constant(double value, Dtype dtype, const Region& region, const Launch& launch) {
  with_sampler<Constant<float>, Constant<double>>(dtype, [&](auto sampling) {
    using Sampler = typename decltype(sampling)::Sampler;
    fill_sampled<decltype(sampling)>(Sampler{typename Sampler::Value(value)}, Draw{}, region, launch);
  });
}

template <class Launch>
void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, Region region, const Launch& launch) {
  require_aligned(itemsize(dtype), region);
  simplify(region);
  with_sampler<float, double>(dtype, [&](auto sampling) {
    using Biases = StepBiases<decltype(sampling)::dtype>;
    using Uniform = typename Biases::Uniform;
    const Source<Uniform> source(typename Uniform::Sampler(uniform), uniform);
    fill_each(Biases{source, bias}, std::move(region), launch);
  });
}

template <class Launch>
void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, Dtype dtype, Region region,
                    const Launch& launch) {
  require_aligned(itemsize(dtype), region);
  turn_forward(region);
  const auto table = launch.table(patterns.data(), patterns.size());
  with_sampler<float, double>(dtype, [&](auto sampling) {
    using Element = ElementOf<decltype(sampling)::dtype>;
    fill_each(Broadcast<Element>{table.get(), patterns.size(), uint64_t(axis_step)}, std::move(region), launch);
  });
}

template <class Launch>
void fill_diagonal(const Diagonal& diagonal, uint64_t pattern, Dtype dtype, const Launch& launch) {
  with_sampler<float, double>(dtype, [&](auto sampling) {
    using Element = ElementOf<decltype(sampling)::dtype>;
    launch(Ones<Element>{diagonal, Element(pattern)});
  });
}

template <class Launch>
void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Launch& launch) {
  require_aligned(itemsize(dtype), {0, data, {table.positions, table.columns}});
  const auto columns = size_t(table.columns.count);
  std::vector<uint64_t> words(3 * columns);
  memcpy(&words[0], table.high.data(), columns * 8);
  memcpy(&words[columns], table.low.data(), columns * 8);
  memcpy(&words[2 * columns], table.quarter.data(), columns * 8);
  const auto copy = launch.table(words.data(), words.size());
  const auto* const numbers = reinterpret_cast<const double*>(copy.get());
  with_sampler<float, double>(dtype, [&](auto sampling) {
    launch(Sinusoids<decltype(sampling)::dtype>{numbers, numbers + columns, copy.get() + 2 * columns, table.positions,
                                                table.columns, table.first, data});
  });
}

// Copies words to `to` in the arguments of launches.
template <class Launch>
void upload(const uint64_t* words, size_t count, uint64_t* to, const Launch& launch) {
  for (size_t n; count > 0; words += n, to += n, count -= n) {
    n = std::min(count, Upload::kMost);
    Upload piece{n, to, {}};
    memcpy(piece.words, words, n * sizeof *words);
    launch(piece);
  }
}

}  // namespace fanin::FANIN_ISA
