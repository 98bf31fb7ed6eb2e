#include "cpu/sparse.hpp"

#include <memory>
#include <mutex>

#include "cpu/dispatch.hpp"
#include "cpu/mask_bits.hpp"
#include "cpu/runner.hpp"
#include "cpu/scheme_kernels.hpp"
#include "cpu/select.hpp"
#include "cpu/sparse_shape.hpp"

namespace fanin {
namespace {

constexpr int64_t kTile = 128;           // mask words: lines begin on one
constexpr int64_t kLong = 1 << 18;       // positions; a shorter line's words stay in memory while a thread works on it
constexpr int64_t kMostLines = 1 << 14;  // long ones whose cuts are in memory
constexpr int64_t kMaskWords = 1 << 21;  // of 64 bits: 16 MiB
constexpr int64_t kTask = 1 << 15;       // mask words that a thread draws at a time
constexpr int64_t kBlock = 1 << 12;      // mask words looked at together
constexpr int64_t kStretch = 1 << 16;    // positions of a long line that a thread takes at a time
constexpr int64_t kTransposed = 1 << 8;  // blocks of 64 × 64 bits that a thread takes at a time
constexpr int64_t kSerial = 2 * kChunk;  // fewer mask words are not worth waking a thread for

// What a thread needs while it works on a line.
struct Scratch {
  std::vector<uint32_t> words;
  std::vector<uint64_t> found;
  Cut cut;
};

// Lent to as many threads as ask at once.
class ScratchPool {
 public:
  explicit ScratchPool(int64_t words) : words_(size_t(words)) {}

  std::unique_ptr<Scratch> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return std::make_unique<Scratch>(Scratch{std::vector<uint32_t>(words_), {}, {}});
    auto scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
  }
  void put_back(std::unique_ptr<Scratch> scratch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  const size_t words_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

class Sparse {
 public:
  Sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt)
      : draw_(draw),
        interrupt_(interrupt),
        kernels_(active_kernels()),
        pitch_(ceil_div(draw.length, kTile) * kTile),
        pool_(is_long() ? 0 : pitch_),
        run_(double(Shape(part).lines) * double(pitch_) < double(kSerial), interrupt) {
    mask_draw_.distribution = Distribution::bits;
    mask_draw_.dtype = Dtype::uint32;
    mask_draw_.seed = draw.values.seed, mask_draw_.id = draw.mask_stream;
  }

  // In parts of so many lines that their bits fit into memory.
  void make(const SparsePart& part) {
    const Shape shape(part);
    const int64_t least = shape.lines_outer ? 1 : 64;
    if (shape.lines > least && (shape.words() > kMaskWords || (is_long() && shape.lines > kMostLines)))
      return halve(part, true, [&](const SparsePart& half) { make(half); });
    if (!is_long()) return fill_marked(part, shape, [&](uint64_t* bits) { mark_short_lines(shape, bits); });
    std::vector<Cut> cuts(size_t(shape.lines));
    each_line(shape, 0, shape.lines, [&](int64_t i, uint64_t line) { find_long_cut(line, cuts[size_t(i)]); });
    make_long(part, cuts);
  }

 private:
  bool is_long() const { return draw_.length > kLong; }

  void make_long(const SparsePart& part, const std::vector<Cut>& cuts) {
    const Shape shape(part);
    if (shape.words() > kMaskWords) return halve(part, false, [&](const SparsePart& half) { make_long(half, cuts); });
    fill_marked(part, shape, [&](uint64_t* bits) { mark_long_lines(shape, cuts, bits); });
  }

  // body(i, line) for the wanted lines begin … end - 1, with their numbers.
  template <class Body>
  static void each_line(const Shape& shape, int64_t begin, int64_t end, const Body& body) {
    int64_t i = begin;
    walk(shape.line_numbers, begin, end, [&](uint64_t first, const char*, int64_t count) {
      for (int64_t k = 0; k < count; ++k)
        body(i++, first + uint64_t(k * shape.line_numbers.axes.back().step));
    });
  }

  template <class Mark>
  void fill_marked(const SparsePart& part, const Shape& shape, const Mark& mark) {
    const int64_t count = shape.words(), blocks = count / 64;
    const std::unique_ptr<uint64_t[]> bits(new uint64_t[size_t(count)]);
    if (!shape.lines_outer && shape.lines % 64 != 0)  // of lines that only fill the last block
      std::fill_n(bits.get() + shape.lines / 64 * 64 * shape.row(), 64 * shape.row(), 0);
    mark(bits.get());
    if (!shape.lines_outer) {
      run_(ceil_div(blocks, kTransposed), [&](int64_t i) {
        for (int64_t b = i * kTransposed; b < std::min(blocks, (i + 1) * kTransposed); ++b)
          transpose_bits(bits.get() + b * 64);
      });
    }
    const Mask mask = shape.mask(bits.get());
    Region region{part.first, part.data, {}};
    for (const auto& axis : part.axes)
      region.axes.push_back({axis.count, axis.step, axis.stride});
    fill(draw_.values, std::move(region), interrupt_, &mask);
  }

  void mark_short_lines(const Shape& shape, uint64_t* bits) {
    int64_t group = std::max<int64_t>(1, kTask / pitch_);
    if (!shape.lines_outer) group = ceil_div(group, 8) * 8;  // lines that share a cache line
    run_(ceil_div(shape.lines, group), [&](int64_t task) {
      std::unique_ptr<Scratch> scratch = pool_.take();
      each_line(shape, task * group, std::min(shape.lines, (task + 1) * group),
                [&](int64_t i, uint64_t line) { mark_short_line(shape, i, line, *scratch, bits); });
      pool_.put_back(std::move(scratch));
    });
  }

  void mark_short_line(const Shape& shape, int64_t i, uint64_t line, Scratch& scratch, uint64_t* bits) const {
    const uint32_t* const words = scratch.words.data();
    draw_words(line, 0, pitch_, scratch.words.data());
    const auto scan = [&](uint32_t low, uint64_t high) {
      scratch.found.clear();
      return scan_words(words, draw_.length, 0, low, high, scratch.found);
    };
    find_cut(draw_.length, draw_.nonzeros, scan, scratch.found, scratch.cut);
    mark(shape, i, 0, shape.positions, scratch.cut, bits, [&](uint64_t position, int64_t) { return words + position; });
  }

  // All threads look at one line, whose words are drawn again every time.
  void find_long_cut(uint64_t line, Cut& cut) {
    std::vector<uint64_t> found;
    const auto scan = [&](uint32_t low, uint64_t high) {
      std::mutex mutex;
      int64_t below = 0;
      found.clear();
      run_(ceil_div(draw_.length, kStretch), [&](int64_t i) {
        std::vector<uint64_t> here;
        int64_t count = 0;
        const int64_t end = std::min(draw_.length, (i + 1) * kStretch);
        for (int64_t p = i * kStretch; p < end; p += kBlock) {
          uint32_t words[kBlock];
          const int64_t n = std::min(kBlock, end - p);
          draw_words(line, uint64_t(p), n, words);
          count += scan_words(words, n, p, low, high, here);
        }
        const std::lock_guard<std::mutex> lock(mutex);
        below += count;
        found.insert(found.end(), here.begin(), here.end());
      });
      return below;
    };
    find_cut(draw_.length, draw_.nonzeros, scan, found, cut);
  }

  void mark_long_lines(const Shape& shape, const std::vector<Cut>& cuts, uint64_t* bits) {
    const int64_t stretches = ceil_div(shape.positions, kStretch);
    run_(shape.lines * stretches, [&](int64_t task) {
      const int64_t i = task / stretches, begin = task % stretches * kStretch;
      each_line(shape, i, i + 1, [&](int64_t, uint64_t line) {
        uint32_t words[kBlock];
        mark(shape, i, begin, std::min(shape.positions, begin + kStretch), cuts[size_t(i)], bits,
             [&](uint64_t position, int64_t count) {
               draw_words(line, position, count, words);
               return words;
             });
      });
    });
  }

  void draw_words(uint64_t line, uint64_t position, int64_t count, uint32_t* words) const {
    kernels_.run(mask_draw_, line * uint64_t(pitch_) + position, uint64_t(count), words);
  }

  // As scan of SchemeKernels; appends what it finds.
  int64_t scan_words(const uint32_t* words, int64_t count, int64_t place, uint32_t low, uint64_t high,
                     std::vector<uint64_t>& found) const {
    int64_t below = 0;
    for (int64_t i = 0; i < count; i += kBlock) {
      uint32_t places[kBlock + 2];
      int64_t n = 0;
      below += kernels_.schemes->scan(words + i, std::min(kBlock, count - i), low, high, places, n);
      for (int64_t k = 0; k < n; ++k)
        found.push_back(placed(words[i + places[k]], place + i + places[k]));
    }
    return below;
  }

  // Writes the bits of the wanted positions begin … end - 1 of wanted line i, whose words words(position, count) gives.
  template <class Words>
  void mark(const Shape& shape, int64_t i, int64_t begin, int64_t end, const Cut& cut, uint64_t* bits,
            const Words& words) const {
    const int64_t step = shape.position_numbers.axes.back().step;
    BitWriter writer(bits + shape.word_of(i, begin), shape.lines_outer ? 1 : 64);
    walk(shape.position_numbers, begin, end, [&](uint64_t first, const char*, int64_t count) {
      for (int64_t taken; count > 0; first += uint64_t(taken * step), count -= taken) {
        taken = step > kTile ? 1 : std::min(count, (kBlock - 1) / step + 1);
        const int64_t span = (taken - 1) * step + 1;
        uint64_t chosen[kBlock / 64];
        kernels_.schemes->below(words(first, span), span, cut.bound, chosen);
        for (const int64_t tie : cut.ties) {
          const int64_t at = tie - int64_t(first);
          if (at >= 0 && at < span) chosen[at / 64] |= uint64_t(1) << at % 64;
        }
        for (int64_t k = 0; step == 1 && k < taken; k += 64)
          writer.put(chosen[k / 64], std::min<int64_t>(64, taken - k));
        for (int64_t k = 0; step != 1 && k < taken; ++k)
          writer.put(chosen[k * step / 64] >> k * step % 64 & 1, 1);
      }
    });
  }

  const SparseDraw& draw_;
  const Interrupt& interrupt_;
  const Kernels& kernels_;
  Draw mask_draw_{};
  const int64_t pitch_;
  ScratchPool pool_;
  Runner run_;
};

}  // namespace

void sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt) {
  Sparse(draw, part, interrupt).make(part);
}

}  // namespace fanin
