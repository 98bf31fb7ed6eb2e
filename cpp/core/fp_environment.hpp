// While an FpEnvironment lives, the thread that made it rounds to nearest, keeps subnormals and traps nothing.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace fanin {

class FpEnvironment {
 public:
  FpEnvironment() : saved_(state()) { set(kIeee754); }
  ~FpEnvironment() { set(saved_); }
  FpEnvironment(const FpEnvironment&) = delete;
  FpEnvironment& operator=(const FpEnvironment&) = delete;

  // Returns the state of this thread, and whether it is the wanted one, apart from the flags of past exceptions.
  static bool is_ieee754() { return (state() & ~kFlags) == kIeee754; }
#if defined(__x86_64__) || defined(_M_X64)
  static constexpr uint64_t kIeee754 = 0x1f80, kFlags = 0x3f;
  static uint64_t state() { return _mm_getcsr(); }
  static void set(uint64_t state) { _mm_setcsr(unsigned(state)); }
#elif defined(__aarch64__)
  static constexpr uint64_t kIeee754 = 0, kFlags = 0;
  static uint64_t state() {
    uint64_t control;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
  }
  static void set(uint64_t state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr uint64_t kIeee754 = 0, kFlags = 0;
  static uint64_t state() { return 0; }
  static void set(uint64_t) {}
#endif

 private:
  uint64_t saved_;
};

}  // namespace fanin
