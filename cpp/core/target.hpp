// Defines what depends on the compilation: whether it is for the host or a device, and the namespace of the instruction
// set.
#pragma once

#include <cstdint>

// Each instruction set compiles these headers into a namespace of its own, so that no inline symbol built with its flags
// can be linked into code that must run everywhere.
#ifndef FANIN_ISA
#define FANIN_ISA host
#endif

#ifdef __CUDACC__
#define FANIN_FN __host__ __device__ __forceinline__
#else
#define FANIN_FN inline __attribute__((always_inline))
#endif

#if defined(__CUDACC__) || defined(__clang__)
#define FANIN_UNROLL _Pragma("unroll")
#else
#define FANIN_UNROLL _Pragma("GCC unroll 32")
#endif
#ifdef __CUDACC__
#define FANIN_NO_UNROLL _Pragma("unroll 1")
#else
#define FANIN_NO_UNROLL
#endif
