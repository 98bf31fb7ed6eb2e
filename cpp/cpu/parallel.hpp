// Runs chunks of work on threads, by OpenMP or, if it is not built in, by std::thread. No threads are made elsewhere.
#pragma once

#include <cstdint>
#include <functional>

#include "tensor/interrupt.hpp"

namespace fanin::cpu {

// Calls body(chunk) for chunks 0 … count - 1 in any order, on up to thread_count() threads. Those that help round to
// nearest and keep subnormals, as the calling thread does inside a Call. An exception in a body ends the work and is
// thrown again here; an interrupt throws Interrupted.
void parallel_chunks(uint64_t count, bool serial, const Interrupt& interrupt,
                     const std::function<void(uint64_t)>& body);

void set_thread_count(int threads);  // for the process; 0 restores the default
int swap_thread_limit(int threads);  // for the calling thread, 0 for no limit; returns the old one
int thread_count();                  // that a large call would use here and now
const char* threading_backend();     // "OpenMP" or "std::thread"

}  // namespace fanin::cpu
