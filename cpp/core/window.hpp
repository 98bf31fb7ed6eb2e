// Holds the window of a truncated normal, which is prepared once for each call: docs/stream-v1.md §5.
#pragma once

namespace fanin {

struct Window {
  // kPoint is a single value; kAround has 32-bit elements and contains the mean, and is computed in float32; the others
  // are computed in float64: kCentral reaches within 5 std of the mean, kTail does not.
  enum Shape { kPoint, kAround, kCentral, kTail } shape;
  double mean, std;
  double lower, upper, mass;      // of kAround and kCentral: Φ(α), Q(β) and the probability between them
  double alpha, rho, sign, base;  // of kTail: the nearer bound in std, Q(β)/Q(α), the side, and the nearer bound
};

}  // namespace fanin
