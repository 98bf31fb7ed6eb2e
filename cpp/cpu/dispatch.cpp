#include "cpu/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#endif

namespace fanin {
namespace {

struct Candidate {
  const Kernels* kernels;
  bool (*runs_here)();
};

#if defined(__x86_64__) || defined(_M_X64)
bool has_f16c() {  // Clang 14's __builtin_cpu_supports does not know it
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

// Best first.
const Candidate kCandidates[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {&avx512::kernels,
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
     }},
    {&avx2::kernels, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }},
    {&baseline::kernels, [] { return true; }},
#elif defined(__aarch64__)
    {&neon::kernels, [] { return true; }},
#else
    {&baseline::kernels, [] { return true; }},
#endif
};

const Kernels& choose() {
  const char* forced = std::getenv("FANIN_FORCE_ISA");
  const bool any = forced == nullptr || *forced == '\0';
  std::string available;
  for (const auto& candidate : kCandidates) {
    if (!candidate.runs_here()) continue;
    if (any || candidate.kernels->isa == std::string(forced)) return *candidate.kernels;
    available += (available.empty() ? "" : ", ") + std::string(candidate.kernels->isa);
  }
  throw std::invalid_argument("FANIN_FORCE_ISA must name an instruction set that this build and processor have (" +
                              available + "), got '" + forced + "'");
}

}  // namespace

const Kernels& active_kernels() {
  static const Kernels& kernels = choose();
  return kernels;
}

std::vector<std::string> compiled_isas() {
  std::vector<std::string> names;
  for (const auto& candidate : kCandidates)
    names.emplace_back(candidate.kernels->isa);
  return names;
}

}  // namespace fanin
