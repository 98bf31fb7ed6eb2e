// Defines registers of a compute type, and the width of panels that are made of them.
#pragma once

#include "cpu/lanes.hpp"

namespace fanin::FANIN_ISA {

using L = Lanes;

template <class T>
struct Vector;
template <>
struct Vector<float> {
  using Type = L::F32;
  static constexpr int kLanes = L::kLanes32;
};
template <>
struct Vector<double> {
  using Type = L::F64;
  static constexpr int kLanes = L::kLanes64;
};

template <class T, int kRegisters>
constexpr int64_t kWidth = kRegisters* Vector<T>::kLanes;
}  // namespace fanin::FANIN_ISA
