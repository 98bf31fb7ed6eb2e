// Launches jobs on a stream of a GPU.
#pragma once

#include <cuda_runtime.h>

#include <limits>
#include <stdexcept>

#include "cuda/device.hpp"
#include "cuda/fills.hpp"

namespace fanin::FANIN_ISA {

using cuda::check;

constexpr unsigned kBlockThreads = 256;

template <class Job>
__global__ void __launch_bounds__(kBlockThreads) run(const __grid_constant__ Job job, uint64_t size) {
  const uint64_t t = uint64_t(blockIdx.x) * kBlockThreads + threadIdx.x;
  if (t < size) job(t);
}

class Launch {
 public:
  explicit Launch(cudaStream_t stream) : stream_(stream) {}

  template <class Job>
  void operator()(const Job& job) const {
    static_assert(sizeof(Job) <= 4000, "arguments of every toolkit and device");
    const uint64_t size = job.size(), blocks = (size + kBlockThreads - 1) / kBlockThreads;
    if (blocks == 0) return;
    if (blocks > uint64_t(std::numeric_limits<int>::max()))
      throw std::invalid_argument("out must have fewer than 2^39 elements on a GPU");
    cudaGetLastError();  // forgets an older error, of something else
    run<<<unsigned(blocks), kBlockThreads, 0, stream_>>>(job, size);
    check(cudaGetLastError());
  }

  // Holds memory in the stream's order: what is launched before it is let go can use it, and nobody waits.
  class Table {
   public:
    Table(size_t count, cudaStream_t stream) : stream_(stream) {
      check(cudaMallocAsync(reinterpret_cast<void**>(&words_), count * sizeof *words_, stream));
    }
    Table(Table&& other) noexcept : words_(other.words_), stream_(other.stream_) { other.words_ = nullptr; }
    ~Table() {
      if (words_) cudaFreeAsync(words_, stream_);
    }
    uint64_t* get() const { return words_; }

   private:
    uint64_t* words_ = nullptr;
    cudaStream_t stream_;
  };
  Table table(const uint64_t* words, size_t count) const {
    Table result(count, stream_);
    upload(words, count, result.get(), *this);
    return result;
  }

 private:
  cudaStream_t stream_;
};

}  // namespace fanin::FANIN_ISA
