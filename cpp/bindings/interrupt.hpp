// Lets Ctrl-C end native code that runs for long.
#pragma once

#include "api/fanin.hpp"

namespace fanin::bindings {

// Returns what runs Python's signal handlers, and is true if one raised. Only the main thread runs them: in others it is empty.
// The caller holds the GIL.
Interrupt interrupt_of_this_thread();

}  // namespace fanin::bindings
