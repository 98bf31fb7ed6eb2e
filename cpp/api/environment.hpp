// Tells and sets how many threads this process uses, and tells its instruction sets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fanin {

void set_thread_count(int threads);  // for the process; 0 restores the default
int swap_thread_limit(int threads);  // for the calling thread, 0 for no limit; returns the old one
int thread_count();                  // that a large call would use here and now
std::string threading_backend();     // "OpenMP" or "std::thread"

std::vector<std::string> compiled_isas();   // lists the instruction sets, the best first
std::vector<std::string> available_isas();  // lists those of them that this processor has
std::string
active_isa();  // is the best, or the one that FANIN_FORCE_ISA names; std::invalid_argument if it is not available

// Returns whether a GPU can draw what the function of this name does; one that it cannot draw throws NotOnGpu.
bool has_gpu_kernel(std::string_view function);

}  // namespace fanin
