// Describes the fills of the extension module fanin._cuda by plain functions over plain data: a caller needs no CUDA
// header.
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

// They return before the work is done, unless the queue says to wait, and throw std::runtime_error where CUDA refuses
// it.
struct Backend {
  void (*fill)(const Draw&, const Region&, const Queue&);
  void (*fill_constant)(double value, Dtype, const Region&, const Queue&);
  void (*fill_broadcast)(const std::vector<uint64_t>& patterns, int64_t axis_step, Dtype, const Region&, const Queue&);
  void (*fill_diagonal)(const Diagonal&, uint64_t pattern, Dtype, const Queue&);
  void (*fill_sinusoid)(const SinusoidTable&, Dtype, char* data, const Queue&);
  void (*fill_step_bias)(const Draw& uniform, const StepBias&, Dtype, const Region&, const Queue&);
  // Fills contiguous memory of the host before it returns; false says that `interrupt` ended it early.
  bool (*draw_to_host)(const Draw&, const Region&, const Queue&, const std::function<bool()>& interrupt);
};

constexpr const char* kBackendName = "fanin.cuda.Backend";  // names a capsule with a Backend

// Returns whether a GPU can draw what the function of this name does. The one list of those that it cannot draw is
// behind it.
bool has_kernel(std::string_view function);

// Returns the module's fills; std::runtime_error if the module is not loaded.
const Backend& backend();
void set_backend(const Backend* backend);

}  // namespace fanin::cuda
