#include "api/environment.hpp"

#include "cpu/dispatch.hpp"
#include "cpu/parallel.hpp"
#include "cuda/backend.hpp"

namespace fanin {

void set_thread_count(int threads) { cpu::set_thread_count(threads); }
int swap_thread_limit(int threads) { return cpu::swap_thread_limit(threads); }
int thread_count() { return cpu::thread_count(); }
std::string threading_backend() { return cpu::threading_backend(); }

std::vector<std::string> compiled_isas() { return cpu::compiled_isas(); }
std::vector<std::string> available_isas() { return cpu::available_isas(); }
std::string active_isa() { return cpu::active_kernels().isa; }

bool has_gpu_kernel(std::string_view function) { return cuda::has_kernel(function); }

}  // namespace fanin
