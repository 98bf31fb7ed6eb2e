// What this core can do at most: non-temporal stores, the multiplies of Philox, fused multiply-adds. Compiled for the
// machine it is built on.
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

using Floats = float __attribute__((vector_size(kBytes)));
using Words = uint64_t __attribute__((vector_size(kBytes)));

void stream(float* p, Floats v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX__)
  _mm256_stream_ps(p, (__m256)v);
#elif defined(__x86_64__)
  _mm_stream_ps(p, (__m128)v);
#else
  __asm__ volatile("stnp %q0, %q0, [%1]" ::"w"(v), "r"(p) : "memory");
#endif
}

// The widening multiply of the low 32 bits of every 64-bit lane.
Words multiply(Words a, Words b) {
#if defined(__AVX512F__)
  return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
  return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (Words)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#endif
}

constexpr int kChains = 16;  // enough to hide the latency of the operation

}  // namespace

extern "C" {

// Fills `count` floats, a multiple of 32, at an address aligned to 64.
void fanin_limit_store(float* out, size_t count) {
  const Floats value = Floats{} + 1.0f;
  constexpr size_t lanes = kBytes / sizeof(float);
#if defined(__aarch64__)
  for (size_t i = 0; i < count; i += 2 * lanes)  // a pair at a time
#else
  for (size_t i = 0; i < count; i += lanes)
#endif
    stream(out + i, value);
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

// As many multiplies as Philox4x32-10 needs for `count` words: 20 for the 4 words of a block.
uint64_t fanin_limit_philox_multiply(size_t count) {
  constexpr size_t lanes = kBytes / sizeof(uint64_t);
  const size_t vectors = 5 * count / lanes;
  const Words factor = Words{} + 0xD2511F53u;
  Words chain[kChains];
  for (int c = 0; c < kChains; ++c)
    chain[c] = Words{} + uint64_t(c + 1);
  for (size_t i = 0; i < vectors; i += kChains)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c)
      chain[c] = multiply(chain[c], factor);
  uint64_t sum = 0;
  for (const Words& c : chain)
    sum += c[0];
  return sum;
}

// `count` float32 fused multiply-adds, two operations each.
float fanin_limit_fma(size_t count) {
  constexpr size_t lanes = kBytes / sizeof(float);
  const Floats scale = Floats{} + 0.5f, shift = Floats{} + 1.0f;
  Floats chain[kChains];
  for (int c = 0; c < kChains; ++c)
    chain[c] = Floats{} + float(c);
  for (size_t i = 0; i < count / lanes; i += kChains)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c)
      chain[c] = chain[c] * scale + shift;
  float sum = 0;
  for (const Floats& c : chain)
    sum += c[0];
  return sum;
}

}  // extern "C"
