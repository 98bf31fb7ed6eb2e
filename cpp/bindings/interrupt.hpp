// Ctrl-C while native code runs.
#pragma once

#include "api/fanin.hpp"

namespace fanin::bindings {

// Remembers the main thread, the only one that runs Python's signal handlers.
void find_main_thread();
// Runs the handlers, and is true if one raised; empty in any other thread. To be made with the GIL.
Interrupt interrupt_of_this_thread();

}  // namespace fanin::bindings
