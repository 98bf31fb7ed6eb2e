// Round to nearest, subnormals kept, no traps: set for the life of an object, in the thread that makes it.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace fanin {

class FpEnvironment {
#if defined(__x86_64__) || defined(_M_X64)
 public:
  FpEnvironment() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~FpEnvironment() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
 public:
  FpEnvironment() {
    const uint64_t standard = 0;
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(standard));
  }
  ~FpEnvironment() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  uint64_t saved_;
#else
 public:
  FpEnvironment() {}
#endif
 public:
  FpEnvironment(const FpEnvironment&) = delete;
  FpEnvironment& operator=(const FpEnvironment&) = delete;
};

}  // namespace fanin
