// Lets a caller end work early, and says what the work throws then.
#pragma once

#include <exception>
#include <functional>

namespace fanin {

// The calling thread calls it every 20 ms; true ends the work.
using Interrupt = std::function<bool()>;

// Is thrown once every thread has stopped; the output's values are then unspecified.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace fanin
