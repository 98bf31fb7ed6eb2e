// Runs work in many short parallel regions, which an interrupt can end between them.
#pragma once

#include <chrono>

#include "cpu/parallel.hpp"

namespace fanin::cpu {

// Runs the parts of a whole one after another, or on all threads.
class Runner {
 public:
  Runner(bool serial, const Interrupt& interrupt) : serial_(serial), interrupt_(interrupt) {}

  int64_t threads() const { return serial_ ? 1 : thread_count(); }

  template <class Body>
  void operator()(int64_t count, const Body& body) {
    if (serial_) {
      for (int64_t i = 0; i < count; ++i)
        body(i);
      return;
    }
    parallel_chunks(uint64_t(count), false, interrupt_, [&](uint64_t i) { body(int64_t(i)); });
    // A region that is shorter than the interval does not look for interrupts itself.
    const auto now = std::chrono::steady_clock::now();
    if (interrupt_ && now - last_ > std::chrono::milliseconds(20)) {
      last_ = now;
      if (interrupt_()) throw Interrupted();
    }
  }

 private:
  bool serial_;
  const Interrupt& interrupt_;
  std::chrono::steady_clock::time_point last_ =
      serial_ ? std::chrono::steady_clock::time_point() : std::chrono::steady_clock::now();
};

}  // namespace fanin::cpu
