#include "cpu/orthogonal.hpp"

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
constexpr int64_t kPanelBytes = 40 * kMiB;  // vectors worked on together, for which the reflectors are drawn once
constexpr int64_t kBlockBytes = 16 * kMiB;  // a block of reflectors
constexpr int64_t kSmallBytes = kMiB;       // a matrix that one thread makes on its own
constexpr double kSerialFlops = 2e6;        // not worth waking a thread for

// Reflectors a block: of the length and type alone, since the bits depend on it.
template <class T>
int64_t block_reflectors(int64_t length) {
  int64_t b = length <= 2048 ? 64 : kMostReflectors;
  while (b > kTileSide && b * length * int64_t(sizeof(T)) > kBlockBytes)
    b /= 2;
  return b;
}

template <class T>
class Buffer {
 public:
  explicit Buffer(int64_t count) : data_(static_cast<T*>(::operator new(size_t(count) * sizeof(T), kAlignment))) {}
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

  int64_t panel_elements(int64_t length) const { return round_up_to(length, kTileSide) * kernels.width; }
  int64_t groups(int64_t vectors) const { return (vectors + kernels.width - 1) / kernels.width; }
  // Groups of vectors for which a block is drawn once.
  int64_t groups_together(const OrthogonalMatrix& m) const {
    const int64_t all = groups(int64_t(m.vectors.size()));
    const int64_t fit = std::max<int64_t>(1, kPanelBytes / (panel_elements(m.length) * int64_t(sizeof(T))));
    const int64_t batches = (all + fit - 1) / fit;
    return (all + batches - 1) / batches;
  }
  int64_t workspace_bytes(const OrthogonalMatrix& m) const {
    const int64_t padded = round_up_to(m.length, kTileSide), b = block_reflectors<T>(m.length);
    return int64_t(sizeof(T)) * (groups_together(m) * panel_elements(m.length) + padded * b);
  }

  void make(const OrthogonalMatrix& m, Runner run) const {
    const int64_t b = block_reflectors<T>(m.length), together = groups_together(m);
    const int64_t panel = panel_elements(m.length), segments = (m.length + kSegment - 1) / kSegment;
    const int64_t most = std::min(b, round_up_to(m.count, kTileSide));
    const Buffer<T> panels(together * panel), tiles(round_up_to(m.length, kTileSide) * most);
    const Buffer<T> small(2 * most + (segments + 1) * most * most);
    ReflectorBlock<T> block{};
    block.draw.distribution = Distribution::normal;
    block.draw.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
    block.draw.seed = draw.seed, block.draw.id = draw.id;
    block.draw.factor = 1;
    block.first = m.first, block.pitch = reflector_pitch(m.length), block.length = m.length;
    block.tiles = tiles.get();
    block.sign = small.get(), block.half = block.sign + most, block.gram = block.half + most;
    block.partial = block.gram + most * most;

    const auto total = int64_t(m.vectors.size()), width = kernels.width;
    for (int64_t begin = 0; begin < total; begin += together * width) {
      const int64_t end = std::min(total, begin + together * width);
      const int64_t last = m.vectors[size_t(end - 1)].number;
      std::vector<Panel<T>> group;
      for (int64_t i = 0; i < groups(end - begin); ++i)
        group.push_back({panels.get() + i * panel, 0});
      const auto vectors_of = [&](int64_t i) {
        const int64_t from = begin + i * width;
        return std::pair(from, std::min(end, from + width));
      };
      run(int64_t(group.size()), [&](int64_t i) { memset(group[size_t(i)].data, 0, size_t(panel) * sizeof(T)); });
      for (int64_t start = last / b * b; start >= 0; start -= b) {
        block.start = start;
        block.count = std::min(b, m.count - start);
        run(block.tile_columns(), [&](int64_t column) { kernels.draw(block, column); });
        run(block.segments(), [&](int64_t segment) { kernels.gram(block, segment); });
        const int64_t square = block.gram_pitch() * block.gram_pitch();
        std::copy_n(block.partial, square, block.gram);
        for (int64_t segment = 1; segment < block.segments(); ++segment)
          for (int64_t i = 0; i < square; ++i)
            block.gram[i] += block.partial[segment * square + i];
        run(int64_t(group.size()), [&](int64_t i) {
          auto& p = group[size_t(i)];
          const auto [from, to] = vectors_of(i);
          for (int64_t v = from; v < to; ++v) {  // a vector starts as ±e of its own number
            const int64_t number = m.vectors[size_t(v)].number;
            if (number < start || number >= start + b) continue;
            p.data[number * width + v - from] = block.sign[number - start];
            p.extent = std::max(p.extent, number + 1);
          }
          if (p.extent > start) kernels.apply(block, p);
        });
      }
      run(int64_t(group.size()), [&](int64_t i) {
        const auto [from, to] = vectors_of(i);
        std::vector<char*> rows;
        for (int64_t v = from; v < to; ++v)
          rows.push_back(m.vectors[size_t(v)].data);
        store(group[size_t(i)].data, rows);
      });
    }
  }

  // Writes a panel's wanted coordinates.
  void store(const T* panel, std::vector<char*>& rows) const {
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

int64_t reflector_pitch(int64_t length) { return round_up_to(length, 128); }

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
