// Includes the lanes of the instruction set that this file is compiled for.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include "cpu/lanes_avx512.hpp"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "cpu/lanes_avx2.hpp"
#elif defined(__aarch64__)
#include "cpu/lanes_neon.hpp"
#else
#include "cpu/lanes_baseline.hpp"
#endif
