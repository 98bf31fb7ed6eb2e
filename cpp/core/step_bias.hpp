// Computes biases whose softplus is a step size: Gu & Dao 2023.
#pragma once

#include "core/exp.hpp"

namespace fanin {

// The logarithm of a step size is uniform from log_low on, over log_range; the step size is at least `floor`.
struct StepBias {
  double log_low, log_range, floor;
};

namespace FANIN_ISA {

// Computes the bias whose softplus is the step size that a uniform number stands for.
template <class L>
FANIN_FN typename L::F64 step_bias(const StepBias& bias, typename L::F64 u) {
  const auto floor = L::splat(bias.floor);
  const auto step = exponential<L>(L::fma(u, L::splat(bias.log_range), L::splat(bias.log_low)));
  return inverse_softplus<L>(L::select(step < floor, floor, step));
}

}  // namespace FANIN_ISA
}  // namespace fanin
