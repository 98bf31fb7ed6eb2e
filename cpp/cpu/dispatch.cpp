#include "cpu/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#endif

namespace fanin::cpu {
namespace {

struct Candidate {
  const Kernels* kernels;
  bool (*runs_here)();
};

#if defined(__x86_64__) || defined(_M_X64)
// Calls CPUID and XGETBV by hand, since the compilers' own queries differ in what they know and what they link.
struct Processor {
  bool avx2 = false, avx512 = false;

  Processor() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    constexpr unsigned kOsSavesState = 1u << 27;
    const bool fma_and_f16c = (c & bit_FMA) && (c & bit_F16C);
    if (!(c & kOsSavesState) || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    unsigned saved, high;
    asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    constexpr unsigned kYmm = 0x06, kZmm = 0xe6;  // the state of registers that the system saves
    constexpr unsigned k512 = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
    avx2 = (saved & kYmm) == kYmm && fma_and_f16c && (b & bit_AVX2);
    avx512 = avx2 && (saved & kZmm) == kZmm && (b & k512) == k512;
  }
};
#endif

// Lists what was compiled, the best first.
const Candidate kCandidates[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {&avx512::kernels, [] { return Processor().avx512; }},
    {&avx2::kernels, [] { return Processor().avx2; }},
    {&baseline::kernels, [] { return true; }},
#elif defined(__aarch64__)
    {&neon::kernels, [] { return true; }},
#endif
};

const Kernels& choose() {
  const char* forced = std::getenv("FANIN_FORCE_ISA");
  const bool any = forced == nullptr || *forced == '\0';
  for (const auto& candidate : kCandidates)
    if (candidate.runs_here() && (any || candidate.kernels->isa == std::string(forced))) return *candidate.kernels;
  std::string available;
  for (const auto& isa : available_isas())
    available += (available.empty() ? "" : ", ") + isa;
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

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const auto& candidate : kCandidates)
    if (candidate.runs_here()) names.emplace_back(candidate.kernels->isa);
  return names;
}

}  // namespace fanin::cpu
