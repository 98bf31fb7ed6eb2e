// Writes panels of vectors into memory of any strides and dtype.
#pragma once

#include <cstring>

#include "core/rounding.hpp"
#include "cpu/reflectors.hpp"
#include "cpu/transpose.hpp"
#include "cpu/vectors.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin::FANIN_ISA {

// Stores a register of values as a dtype, or a single value.
template <class T, Dtype dtype>
struct Stored {
  static constexpr auto kSize = int64_t(itemsize(dtype));
  template <class V>
  static FANIN_FN void store(char* p, V v) {
    if constexpr (dtype == Dtype::bfloat16) {
      L::store_upper_halves(reinterpret_cast<uint16_t*>(p), round_to_bfloat16<L>(v));
    } else if constexpr (dtype == Dtype::float16) {
      L::store_float16(reinterpret_cast<uint16_t*>(p), v);
    } else {
      L::store(p, v);
    }
  }
  static FANIN_FN void store_one(char* p, T v) {
    typename Vector<T>::Type x{};
    x[0] = v;
    char all[sizeof x];
    store(all, x);
    memcpy(p, all, size_t(kSize));
  }
};

template <class T, Dtype dtype>
void write_as(const Panel<T>& panel, const Destination& to) {
  using V = typename Vector<T>::Type;
  using S = Stored<T, dtype>;
  constexpr int64_t kLanes = Vector<T>::kLanes;
  const int64_t width = panel.registers * kLanes;
  const T gain = T(to.gain);
  const auto element = [&](int64_t i, int64_t r) {
    S::store_one(to.rows[r] + i * to.stride, gain * panel.data[(to.first + i * to.step - panel.from) * width + r]);
  };
  bool together = true;  // whether neighbouring vectors are contiguous, as in a matrix of orthonormal columns
  for (int64_t r = 1; r < to.row_count; ++r)
    together = together && to.rows[r] - to.rows[r - 1] == S::kSize;
  const bool along = to.step == 1 && to.stride == S::kSize;  // whether neighbouring coordinates are contiguous
  const int64_t whole_coordinates = along ? to.count / kLanes * kLanes : 0;
  const int64_t whole_vectors = together ? to.row_count / kLanes * kLanes : 0;
  if (whole_vectors > 0) {
    for (int64_t i = 0; i < to.count; ++i) {
      const T* const p = panel.data + (to.first + i * to.step - panel.from) * width;
      for (int64_t r = 0; r < whole_vectors; r += kLanes)
        S::store(to.rows[r] + i * to.stride, L::load<V>(p + r) * gain);
      for (int64_t r = whole_vectors; r < to.row_count; ++r)
        element(i, r);
    }
    return;
  }
  for (int64_t i = 0; i < whole_coordinates; i += kLanes) {
    for (int64_t left = 0; left < to.row_count; left += kLanes) {
      V x[kLanes];
      FANIN_UNROLL
      for (int64_t k = 0; k < kLanes; ++k)
        x[k] = L::load<V>(panel.data + (to.first + i + k - panel.from) * width + left) * gain;
      transpose<V, kLanes>(x);
      for (int64_t k = 0; k < kLanes && left + k < to.row_count; ++k)
        S::store(to.rows[left + k] + i * S::kSize, x[k]);
    }
  }
  for (int64_t i = whole_coordinates; i < to.count; ++i)
    for (int64_t r = 0; r < to.row_count; ++r)
      element(i, r);
}

template <class T>
void write_panel(const Panel<T>& panel, const Destination& to) {
  with_float(to.dtype, [&](auto d) {
    if constexpr (is_wide(d.value) == (sizeof(T) == 8)) write_as<T, d.value>(panel, to);
  });
}

}  // namespace fanin::FANIN_ISA
