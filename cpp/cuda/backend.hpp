// The fills of the extension module fanin._cuda, as plain functions over plain data: who calls them needs no CUDA header.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "core/step_bias.hpp"
#include "tensor/draw.hpp"
#include "tensor/queue.hpp"
#include "tensor/region.hpp"
#include "tensor/structured.hpp"

namespace fanin::cuda {

// They return before the work is done, unless the queue says to wait, and throw std::runtime_error where CUDA refuses it.
struct Backend {
  void (*fill)(const Draw&, const Region&, const Queue&);
  void (*fill_constant)(double value, Dtype, const Region&, const Queue&);
  void (*fill_broadcast)(const std::vector<uint64_t>& patterns, int64_t axis_step, Dtype, const Region&, const Queue&);
  void (*fill_diagonal)(const Diagonal&, uint64_t pattern, Dtype, const Queue&);
  void (*fill_sinusoid)(const SinusoidTable&, Dtype, char* data, const Queue&);
  void (*fill_step_bias)(const Draw& uniform, const StepBias&, Dtype, const Region&, const Queue&);
  // Into contiguous memory of the host, which it has filled when it returns; false where `interrupt` ended it early.
  bool (*draw_to_host)(const Draw&, const Region&, const Queue&, const std::function<bool()>& interrupt);
};

constexpr const char* kBackendName = "fanin.cuda.Backend";  // of a capsule with one

// Whether a function of the API can be drawn on a GPU, by its name. What cannot needs an entry here, and nowhere else.
bool has_kernel(std::string_view function);

// The module's; std::runtime_error where none is loaded.
const Backend& backend();
void set_backend(const Backend* backend);

}  // namespace fanin::cuda
