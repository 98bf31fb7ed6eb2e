// Threads and instruction sets of this process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fanin {

void set_thread_count(int threads);  // for the process; 0 restores the default
int swap_thread_limit(int threads);  // for the calling thread; 0 is none; returns the old limit
int thread_count();                  // what a large call made here and now would use
std::string threading_backend();     // "OpenMP" or "std::thread"

std::vector<std::string> compiled_isas();   // instruction sets, the best first
std::vector<std::string> available_isas();  // those of them that this processor has
std::string active_isa();  // the best, or what FANIN_FORCE_ISA names: std::invalid_argument where that is not available

// Whether a GPU can draw what a function of the API does, by its name; what it cannot is NotOnGpu.
bool has_gpu_kernel(std::string_view function);

}  // namespace fanin
