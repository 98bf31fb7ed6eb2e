#include "cpu/orthogonal.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>

#include "cpu/dispatch.hpp"
#include "cpu/fp_environment.hpp"
#include "cpu/reflectors.hpp"

namespace fanin {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr int64_t kPanelBytes = 40 * kMiB;      // vectors worked on together, for which the reflectors are drawn once
constexpr int64_t kBlockBytes = 16 * kMiB;      // the largest block of reflectors
constexpr int64_t kTogetherBytes = 8 * kMiB;    // blocks drawn together
constexpr int64_t kSmallBytes = kMiB;           // a matrix that one thread makes on its own
constexpr int64_t kLongest = int64_t(1) << 40;  // coordinates: no memory holds their panel, and sizes do not overflow
constexpr double kSerialFlops = 2e6;            // not worth waking a thread for

// Reflectors a block: of the length and type alone, since the bits depend on it.
template <class T>
int64_t block_reflectors(int64_t length) {
  int64_t b = kMostReflectors;
  while (b > kTileSide && b * length * int64_t(sizeof(T)) > kBlockBytes)
    b /= 2;
  return b;
}

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count) : data_(static_cast<T*>(::operator new(size_t(count) * sizeof(T), kAlignment))) {
    if (count * int64_t(sizeof(T)) > 4 * kMiB) {
      auto a = (uintptr_t(data_) + 4095) & ~uintptr_t(4095);
      madvise((void*)a, size_t(count) * sizeof(T) - 4096, MADV_HUGEPAGE);
    }
  }
  ~Buffer() { ::operator delete(data_, kAlignment); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  T* get() const { return data_; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  T* data_;
};

// How the parts of one matrix are run: one after another, or on all threads.
class Runner {
 public:
  Runner(bool serial, const Interrupt& interrupt) : serial_(serial), interrupt_(interrupt) {}

  template <class Body>
  void operator()(int64_t count, const Body& body) {
    if (serial_) {
      for (int64_t i = 0; i < count; ++i)
        body(i);
      return;
    }
    parallel_chunks(uint64_t(count), false, interrupt_, [&](uint64_t i) { body(int64_t(i)); });
    // A region shorter than the interval does not ask by itself.
    const auto now = std::chrono::steady_clock::now();
    if (interrupt_ && now - last_ > std::chrono::milliseconds(20)) {
      last_ = now;
      if (interrupt_()) throw Interrupted{};
    }
  }

 private:
  bool serial_;
  const Interrupt& interrupt_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

template <class T>
struct Maker {
  const OrthogonalDraw& draw;
  const Coordinates& where;
  const ReflectorKernels<T>& kernels;

  int64_t padded(int64_t length) const { return round_up_to(length, kTileSide); }
  int64_t registers(int64_t vectors) const { return (vectors + kernels.lanes - 1) / kernels.lanes; }
  // Vectors of a batch, for which a block is drawn once: whole registers, that many batches being about equal.
  int64_t batch(const OrthogonalMatrix& m) const {
    const int64_t all = registers(int64_t(m.vectors.size()));
    const int64_t fit = std::max<int64_t>(1, kPanelBytes / (padded(m.length) * kernels.lanes * int64_t(sizeof(T))));
    const int64_t batches = (all + fit - 1) / fit;
    return (all + batches - 1) / batches * kernels.lanes;
  }
  // Blocks that are drawn together: a panel passes them all while it is in the cache.
  int64_t blocks_together(const OrthogonalMatrix& m) const {
    const int64_t b = block_reflectors<T>(m.length), all = m.vectors.back().number / b + 1;
    const int64_t fit = std::max<int64_t>(1, kTogetherBytes / (b * padded(m.length) * int64_t(sizeof(T))));
    return std::min(all, fit);
  }
  int64_t workspace_bytes(const OrthogonalMatrix& m) const {
    const int64_t vectors = batch(m) + blocks_together(m) * block_reflectors<T>(m.length);
    return int64_t(sizeof(T)) * padded(m.length) * vectors;
  }

  void make(const OrthogonalMatrix& m, Runner run) const {
    const int64_t b = block_reflectors<T>(m.length), most = std::min(b, padded(m.count));
    const int64_t together = batch(m), blocks_at_once = blocks_together(m), lanes = kernels.lanes;
    const int64_t segments = (m.length + kSegment - 1) / kSegment, square = most * round_up_to(most, kGramMultiple);
    const int64_t small_elements = 2 * most + (segments + 1) * square;
    const Buffer<T> panels(together * padded(m.length)), tiles(blocks_at_once * most * padded(m.length));
    const Buffer<T> small(blocks_at_once * small_elements);

    std::vector<ReflectorBlock<T>> blocks;
    const auto block_at = [&](int64_t slot, int64_t start) {
      ReflectorBlock<T> block{};
      block.draw.distribution = Distribution::normal;
      block.draw.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
      block.draw.seed = draw.seed, block.draw.id = draw.id;
      block.draw.factor = 1;
      block.first = m.first, block.pitch = reflector_pitch(m.length), block.length = m.length;
      block.start = start, block.count = std::min(b, m.count - start);
      block.tiles = tiles.get() + slot * most * padded(m.length);
      block.sign = small.get() + slot * small_elements, block.half = block.sign + most;
      block.gram = block.half + most, block.partial = block.gram + square;
      return block;
    };

    struct Group {
      Panel<T> panel;
      int64_t begin, end;  // its vectors
    };
    std::vector<Group> groups;
    const auto total = int64_t(m.vectors.size());
    for (int64_t begin = 0; begin < total; begin += together) {
      const int64_t end = std::min(total, begin + together);
      groups.clear();
      for (int64_t from = begin; from < end;) {
        const int64_t left = registers(end - from);
        const int64_t taken = left >= 5 || left == 3 ? 3 : std::min<int64_t>(left, 2);
        const int64_t to = std::min(end, from + taken * lanes);
        T* const data = panels.get() + (from - begin) * padded(m.length);
        groups.push_back({{data, taken, 0, m.vectors[size_t(to - 1)].number}, from, to});
        from = to;
      }
      run(int64_t(groups.size()), [&](int64_t i) {
        const Panel<T>& p = groups[size_t(i)].panel;
        memset(p.data, 0, size_t(padded(m.length) * p.registers * lanes) * sizeof(T));
      });
      for (int64_t start = m.vectors[size_t(end - 1)].number / b * b; start >= 0; start -= blocks_at_once * b) {
        blocks.clear();
        for (int64_t slot = 0; slot < blocks_at_once && start - slot * b >= 0; ++slot)
          blocks.push_back(block_at(slot, start - slot * b));
        draw_blocks(blocks, most / kTileSide, segments, run);
        run(int64_t(groups.size()), [&](int64_t i) {
          auto& [panel, from, to] = groups[size_t(i)];
          for (const auto& block : blocks)
            pass(block, panel, m.vectors.data() + from, to - from);
        });
      }
      run(int64_t(groups.size()), [&](int64_t i) {
        const auto& [panel, from, to] = groups[size_t(i)];
        std::vector<char*> rows;
        for (int64_t v = from; v < to; ++v)
          rows.push_back(m.vectors[size_t(v)].data);
        store(panel, rows);
      });
    }
  }

  void draw_blocks(const std::vector<ReflectorBlock<T>>& blocks, int64_t columns, int64_t segments, Runner& run) const {
    const auto each = [&](int64_t parts, const auto& body) {
      run(int64_t(blocks.size()) * parts, [&](int64_t i) { body(blocks[size_t(i / parts)], i % parts); });
    };
    each(columns, [&](const ReflectorBlock<T>& block, int64_t column) {
      if (column < block.tile_columns()) kernels.draw(block, column);
    });
    each(segments, [&](const ReflectorBlock<T>& block, int64_t segment) {
      if (segment < block.segments()) kernels.gram(block, segment);
    });
    each(1, [&](const ReflectorBlock<T>& block, int64_t) {
      const int64_t elements = block.gram_elements();
      std::copy_n(block.partial, elements, block.gram);
      for (int64_t segment = 1; segment < block.segments(); ++segment)
        for (int64_t i = 0; i < elements; ++i)
          block.gram[i] += block.partial[segment * elements + i];
    });
  }

  // Applies a block to a panel, whose vectors start as ±e of their own numbers.
  void pass(const ReflectorBlock<T>& block, Panel<T>& panel, const OrthogonalVector* vectors, int64_t count) const {
    for (int64_t v = 0; v < count; ++v) {
      const int64_t number = vectors[v].number, k = number - block.start;
      if (k < 0 || k >= block.count) continue;
      panel.data[number * panel.registers * kernels.lanes + v] = block.sign[k];
      panel.extent = std::max(panel.extent, number + 1);
    }
    if (panel.extent <= block.start) return;
    kernels.apply(block, panel);
    panel.extent = block.length;
  }

  // Writes a panel's wanted coordinates.
  void store(const Panel<T>& panel, std::vector<char*>& rows) const {
    const Axis& inner = where.axes.back();
    int64_t outer = 1;
    for (size_t a = 0; a + 1 < where.axes.size(); ++a)
      outer *= where.axes[a].count;
    std::vector<char*> at(rows.size());
    for (int64_t n = 0; n < outer; ++n) {
      int64_t rest = n, first = where.first, offset = 0;
      for (size_t a = where.axes.size() - 1; a-- > 0;) {
        const Axis& axis = where.axes[a];
        first += rest % axis.count * axis.step, offset += rest % axis.count * axis.stride;
        rest /= axis.count;
      }
      for (size_t r = 0; r < rows.size(); ++r)
        at[r] = rows[r] + offset;
      kernels.write(panel, {draw.dtype, draw.gain, at.data(), int64_t(rows.size()), first, inner.step, inner.count,
                            inner.stride});
    }
  }
};

template <class T>
void make_all(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix>& matrices,
              const std::vector<Coordinates>& where, const ReflectorKernels<T>& kernels, const Interrupt& interrupt) {
  std::vector<size_t> small;
  for (size_t i = 0; i < matrices.size(); ++i) {
    auto& m = matrices[i];
    if (m.vectors.empty()) continue;
    if (m.length > kLongest) throw std::bad_alloc();
    std::sort(m.vectors.begin(), m.vectors.end(), [](const auto& x, const auto& y) { return x.number < y.number; });
    const Maker<T> maker{draw, where[i], kernels};
    const double flops = 2.0 * double(m.length) * double(m.vectors.size()) * double(m.vectors.back().number + 1);
    if (maker.workspace_bytes(m) <= kSmallBytes && (matrices.size() > 1 || flops < kSerialFlops))
      small.push_back(i);
    else
      maker.make(m, Runner(flops < kSerialFlops, interrupt));
  }
  parallel_chunks(small.size(), small.size() == 1, interrupt, [&](uint64_t i) {
    const size_t at = small[i];
    Maker<T>{draw, where[at], kernels}.make(matrices[at], Runner(true, interrupt));
  });
}

}  // namespace

int64_t reflector_pitch(int64_t length) {
  if (length > 64) return round_up_to(length, 128);
  int64_t pitch = 1;
  while (pitch < length)
    pitch *= 2;
  return pitch;
}

void orthogonal(const OrthogonalDraw& draw, std::vector<OrthogonalMatrix> matrices,
                const std::vector<Coordinates>& where, const Interrupt& interrupt) {
  const FpEnvironment environment;
  const OrthogonalKernels& kernels = *active_kernels().orthogonal;
  if (draw.dtype == Dtype::float64)
    make_all(draw, matrices, where, kernels.twice, interrupt);
  else
    make_all(draw, matrices, where, kernels.single, interrupt);
}

}  // namespace fanin
