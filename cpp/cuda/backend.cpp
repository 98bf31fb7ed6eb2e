#include "cuda/backend.hpp"

#include <atomic>
#include <stdexcept>

namespace fanin::cuda {
namespace {

std::atomic<const Backend*> g_backend{nullptr};

}  // namespace

const Backend& backend() {
  const Backend* const loaded = g_backend;
  if (!loaded) throw std::runtime_error("out is on a GPU, and the module for CUDA is not loaded");
  return *loaded;
}

void set_backend(const Backend* backend) { g_backend = backend; }

}  // namespace fanin::cuda
