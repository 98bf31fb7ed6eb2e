// How a caller ends work early, and what the work throws then.
#pragma once

#include <exception>
#include <functional>

namespace fanin {

// The calling thread asks it every 20 ms; true ends the work.
using Interrupt = std::function<bool()>;

// Thrown once every thread has stopped; the output's values are unspecified.
struct Interrupted : std::exception {
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace fanin
