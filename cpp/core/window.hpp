// A truncated normal's window, prepared once a call: docs/stream-v1.md §5.
#pragma once

namespace fanin {

struct Window {
  // One value; 32-bit elements around the mean, in float32; else, in float64: within 5 std of the mean, and beyond.
  enum Shape { kPoint, kAround, kCentral, kTail } shape;
  double mean, std;
  double lower, upper, mass;      // around, central: Φ(α), Q(β) and the probability between them
  double alpha, rho, sign, base;  // tail: the nearer bound in std, Q(β)/Q(α), the side, the nearer bound
};

}  // namespace fanin
