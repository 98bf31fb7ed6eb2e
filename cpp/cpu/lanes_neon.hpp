// Defines the lanes of AArch64: four of float32. There fma, square root and float16 conversion are part of the base
// architecture.
#pragma once

#include <arm_neon.h>

#include "cpu/lanes_common.hpp"

namespace fanin::FANIN_ISA {

struct Lanes : VectorLanes {
  static constexpr int kInFlight = 4;

  static FANIN_FN U64 multiply(Word a, uint32_t m) { return (U64)vmull_u32(vmovn_u64((uint64x2_t)a), vdup_n_u32(m)); }
  static FANIN_FN U32 narrow(Word a, Word b) { return (U32)vuzp1q_u32((uint32x4_t)a, (uint32x4_t)b); }
  static FANIN_FN F32 narrow(F64 a, F64 b) {
    return (F32)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)a), (float64x2_t)b);
  }

  static FANIN_FN void widen(F32 x, F64& low, F64& high) {
    low = (F64)vcvt_f64_f32(vget_low_f32((float32x4_t)x));
    high = (F64)vcvt_high_f64_f32((float32x4_t)x);
  }

  static FANIN_FN F32 fma(F32 a, F32 b, F32 c) {
    return (F32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
  }
  static FANIN_FN F64 fma(F64 a, F64 b, F64 c) {
    return (F64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
  }
  static FANIN_FN F32 sqrt(F32 x) { return (F32)vsqrtq_f32((float32x4_t)x); }
  static FANIN_FN F64 sqrt(F64 x) { return (F64)vsqrtq_f64((float64x2_t)x); }
  static FANIN_FN uint32_t below(U32 a, U32 b) { return vaddvq_u32((uint32x4_t)((U32)(a < b) & U32{1, 2, 4, 8})); }
  template <class M>
  static FANIN_FN bool any(M mask) {
    return vmaxvq_u32((uint32x4_t)mask) != 0;
  }

  static FANIN_FN U32 load_upper_halves(const void* p) { return (U32)vshll_n_u16(load<uint16x4_t>(p), 16); }
  static FANIN_FN F32 load_float16(const void* p) { return (F32)vcvt_f32_f16(load<float16x4_t>(p)); }
  static FANIN_FN void store_upper_halves(uint16_t* p, U32 w) { vst1_u16(p, vshrn_n_u32((uint32x4_t)w, 16)); }
  static FANIN_FN void store_float16(uint16_t* p, F32 x) {
    vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32((float32x4_t)x)));
  }
};

}  // namespace fanin::FANIN_ISA
