// Draws on a GPU into the host's memory, by way of pinned memory: while one piece is being sent, the one before is
// copied.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/device.hpp"
#include "cuda/module.hpp"

namespace fanin::cuda {
namespace {

constexpr int64_t kPieceBytes = int64_t(16) << 20;

// Keeps pinned memory for the next call, as it takes milliseconds to get.
class Pinned {
 public:
  Pinned() {
    const std::lock_guard<std::mutex> lock(mutex());
    if (kept().empty()) {
      kept().reserve(++count());  // so that giving memory back allocates nothing
      check(cudaHostAlloc(&data_, size_t(kPieceBytes), cudaHostAllocPortable));
    } else {
      data_ = kept().back();
      kept().pop_back();
    }
  }
  ~Pinned() {
    const std::lock_guard<std::mutex> lock(mutex());
    kept().push_back(data_);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  void* get() const { return data_; }

 private:
  // It is never destroyed: CUDA may be gone before static objects are.
  static std::mutex& mutex() {
    static auto* const one = new std::mutex;
    return *one;
  }
  static std::vector<void*>& kept() {
    static auto* const all = new std::vector<void*>;
    return *all;
  }
  static size_t& count() {
    static size_t all = 0;
    return all;
  }
  void* data_ = nullptr;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

// Is one of two places where pieces are drawn and from which they reach the host.
class Slot {
 public:
  Slot(cudaStream_t stream, int64_t bytes) : stream_(stream) {
    check(cudaMallocAsync(&device_, size_t(bytes), stream));
    if (const cudaError_t error = cudaEventCreateWithFlags(&arrived_, cudaEventDisableTiming); error != cudaSuccess) {
      cudaFreeAsync(device_, stream);
      check(error);
    }
  }
  ~Slot() {
    cudaStreamSynchronize(stream_);  // nothing must arrive in pinned memory that another call may take
    cudaEventDestroy(arrived_);
    cudaFreeAsync(device_, stream_);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  void send(const Draw& draw, Region piece, int device) {
    target_ = piece.data, bytes_ = size_t(elements(piece)) * itemsize(draw.dtype);
    // The piece is contiguous, so its strides stay as they are, counted from its first element in C order.
    piece.data = static_cast<char*>(device_);
    fill(draw, piece, {device, stream_});
    check(cudaMemcpyAsync(pinned_.get(), device_, bytes_, cudaMemcpyDeviceToHost, stream_));
    check(cudaEventRecord(arrived_, stream_));
  }
  void receive() {
    if (bytes_ == 0) return;
    check(cudaEventSynchronize(arrived_));
    memcpy(target_, pinned_.get(), bytes_);
    bytes_ = 0;
  }

 private:
  cudaStream_t stream_;
  Pinned pinned_;
  void* device_ = nullptr;
  cudaEvent_t arrived_ = nullptr;
  char* target_ = nullptr;
  size_t bytes_ = 0;
};

// Calls piece(region) for parts of a contiguous region, each of `most` elements at most, in order, until one returns
// false.
template <class Piece>
bool in_pieces(const Region& region, int64_t most, const Piece& piece) {
  if (elements(region) <= most) return piece(region);
  size_t axis = 0;
  while (region.axes[axis].count == 1)
    ++axis;
  Region part = region;
  const Axis outer = region.axes[axis];
  const int64_t row = elements(region) / outer.count, rows = std::max<int64_t>(1, most / row);
  for (int64_t i = 0; i < outer.count; i += rows) {
    part.axes[axis].count = std::min(rows, outer.count - i);
    part.first = region.first + uint64_t(i * outer.step);
    part.data = region.data + i * outer.stride;
    if (!in_pieces(part, most, piece)) return false;
  }
  return true;
}

}  // namespace

bool draw_to_host(const Draw& draw, const Region& region, const Queue& queue, const std::function<bool()>& interrupt) {
  const OnDevice current(queue.device);
  const Stream stream;
  const auto size = int64_t(itemsize(draw.dtype));
  const int64_t bytes = std::min(elements(region) * size, kPieceBytes);
  Slot first(stream.get(), bytes), second(stream.get(), bytes);
  Slot *next = &first, *other = &second;
  const bool done = in_pieces(region, kPieceBytes / size, [&](const Region& piece) {
    if (interrupt && interrupt()) return false;
    next->receive();
    next->send(draw, piece, queue.device);
    std::swap(next, other);
    return true;
  });
  if (done) next->receive(), other->receive();  // they are received in the order in which they were sent
  return done;
}

}  // namespace fanin::cuda
