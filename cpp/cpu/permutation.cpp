#include "cpu/permutation.hpp"

#include <array>
#include <memory>

#include "cpu/dispatch.hpp"
#include "cpu/store.hpp"
#include "tensor/pitch.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kShort = 1 << 13;    // places that a thread sorts by itself
constexpr int64_t kStretch = 1 << 17;  // places between two looks for an interrupt

// Sorts places by their words, in memory that lines of one length share: by each digit of the words, from the lowest on.
// A digit keeps the order that it finds, so that equal words stay in the order of their places.
class Sorter {
 public:
  Sorter(const Draw& words, int64_t length)
      : words_(words),
        length_(length),
        drawn_(new uint32_t[size_t(length)]),
        from_(new Entry[size_t(length)]),
        to_(new Entry[size_t(length)]) {}

  template <class Look>
  void sort(uint64_t line, const Look& look) {
    const uint64_t first = line * uint64_t(line_pitch(length_));
    in_stretches(look, [&](int64_t begin, int64_t end) {
      active_kernels().run(words_, first + uint64_t(begin), uint64_t(end - begin), drawn_.get() + begin);
      for (int64_t p = begin; p < end; ++p)
        from_[size_t(p)] = {drawn_[size_t(p)], uint32_t(p)};
    });
    for (int shift = 0; shift < 32; shift += kDigit)
      pass(shift, look);
  }

  int64_t operator[](int64_t i) const { return from_[size_t(i)].place; }

 private:
  struct Entry {
    uint32_t word, place;
  };
  static constexpr int kDigit = 8;

  template <class Look>
  void pass(int shift, const Look& look) {
    const auto digit = [&](int64_t i) { return from_[size_t(i)].word >> shift & ((1u << kDigit) - 1); };
    std::array<int64_t, 1 << kDigit> next{};
    in_stretches(look, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        ++next[digit(i)];
    });
    int64_t start = 0;
    for (int64_t& each : next) {
      const int64_t count = each;
      each = start, start += count;
    }
    in_stretches(look, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        to_[size_t(next[digit(i)]++)] = from_[size_t(i)];
    });
    from_.swap(to_);
  }

  template <class Look, class Body>
  void in_stretches(const Look& look, const Body& body) {
    for (int64_t begin = 0; begin < length_; begin += kStretch) {
      look();
      body(begin, std::min(length_, begin + kStretch));
    }
  }

  const Draw& words_;
  const int64_t length_;
  const std::unique_ptr<uint32_t[]> drawn_;
  std::unique_ptr<Entry[]> from_, to_;
};

void write(const Sorter& order, const Taken& along, Dtype dtype, char* data) {
  const SchemeKernels& kernels = *active_kernels().schemes;
  for (int64_t done = 0; done < along.count; done += kBlock) {
    alignas(64) double values[kBlock] = {};
    const int64_t count = std::min(kBlock, along.count - done);
    for (int64_t i = 0; i < count; ++i)
      values[i] = double(order[along.start + (done + i) * along.step]);
    store(kernels, dtype, values, count, data + done * along.stride, along.stride);
  }
}

}  // namespace

void permutation(const Draw& words, const Region& lines, const Taken& along, Dtype dtype, const Interrupt& interrupt) {
  const int64_t count = elements(lines), step = lines.axes.back().step;
  const auto sort_lines = [&](int64_t begin, int64_t end, const auto& look) {
    Sorter order(words, along.size);
    walk(lines, begin, end, [&](uint64_t line, char* data, int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        order.sort(line + uint64_t(i * step), look);
        write(order, along, dtype, data + i * lines.axes.back().stride);
      }
    });
  };
  if (along.size > kShort)
    return sort_lines(0, count, [&] {
      if (interrupt && interrupt()) throw Interrupted();
    });
  const int64_t group = std::max<int64_t>(1, kShort / along.size);
  const int64_t groups = (count + group - 1) / group;
  parallel_chunks(uint64_t(groups), groups < 4, interrupt, [&](uint64_t number) {
    const int64_t begin = int64_t(number) * group;
    sort_lines(begin, std::min(count, begin + group), [] {});
  });
}

}  // namespace fanin::cpu
