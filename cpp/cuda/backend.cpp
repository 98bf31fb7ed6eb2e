#include "cuda/backend.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <stdexcept>

namespace fanin::cuda {
namespace {

constexpr std::string_view kOnCpuAlone[] = {"orthogonal", "haar",       "delta_orthogonal",
                                            "sparse",     "expression", "permutation"};

std::atomic<const Backend*> g_backend{nullptr};

}  // namespace

bool has_kernel(std::string_view function) {
  return std::find(std::begin(kOnCpuAlone), std::end(kOnCpuAlone), function) == std::end(kOnCpuAlone);
}

const Backend& backend() {
  const Backend* const loaded = g_backend;
  if (!loaded) throw std::runtime_error("out is on a GPU, and the module for CUDA is not loaded");
  return *loaded;
}

void set_backend(const Backend* backend) { g_backend = backend; }

}  // namespace fanin::cuda
