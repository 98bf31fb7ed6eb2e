// Allocates memory to work in, which is neither initialized nor kept.
#pragma once

#include <cstdint>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace fanin::cpu {

constexpr int64_t kMiB = 1 << 20;

// Large buffers lie in large pages if the system grants them: most of the cost of memory is its first use, page by
// page.
template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count)
      : bytes_(count * int64_t(sizeof(T))), data_(static_cast<T*>(::operator new(size_t(bytes_), alignment()))) {
#ifdef __linux__
    if (paged()) madvise(data_, size_t(bytes_), MADV_HUGEPAGE);  // if the system refuses, nothing changes
#endif
  }
  ~Buffer() { ::operator delete(data_, alignment()); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* get() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  static constexpr int64_t kPage = 2 * kMiB;
  bool paged() const { return bytes_ >= 2 * kPage; }
  std::align_val_t alignment() const { return std::align_val_t(paged() ? kPage : 64); }

  int64_t bytes_;
  T* data_;
};

}  // namespace fanin::cpu
