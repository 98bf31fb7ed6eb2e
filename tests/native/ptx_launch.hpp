// Jobs by their kernels as nvcc compiled them, translated into C++ by tests/cuda/ptx.py.
#pragma once

#include <set>

#include "ptx.hpp"

namespace fanin::FANIN_ISA {

// Never called: its name is what nvcc calls the kernel of cuda/launch.cuh, and the linker finds the translation under it.
template <class Job>
void run(Job, uint64_t);

}  // namespace fanin::FANIN_ISA

namespace ptx {

constexpr u32 kBlockThreads = 256;

inline std::set<Kernel>& launched() {
  static std::set<Kernel> kernels;
  return kernels;
}

// Threads in descending order, those beyond the last one too.
template <class Job>
void launch(const Job& job, u64 size) {
  static_assert(std::is_trivially_copyable_v<Job>, "it is copied byte by byte");
  const struct {
    Job job;
    u64 size;
  } params{job, size};
  const auto kernel = reinterpret_cast<Kernel>(reinterpret_cast<void*>(&fanin::FANIN_ISA::run<Job>));
  launched().insert(kernel);
  for (u64 block = (size + kBlockThreads - 1) / kBlockThreads; block-- > 0;) {
    for (u32 thread = kBlockThreads; thread-- > 0;)
      kernel(reinterpret_cast<const unsigned char*>(&params), sizeof params, u32(block), kBlockThreads, thread);
  }
}

}  // namespace ptx
