#include "cpu/sparse.hpp"

#include <atomic>
#include <memory>
#include <mutex>

#include "cpu/dispatch.hpp"
#include "cpu/mask_bits.hpp"
#include "cpu/runner.hpp"
#include "cpu/scheme_kernels.hpp"
#include "cpu/sparse_shape.hpp"
#include "tensor/pitch.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kLong = 1 << 18;       // positions; a thread keeps the words of a shorter line in memory
constexpr int64_t kMostLines = 1 << 14;  // long lines whose cuts are in memory
constexpr int64_t kMaskWords = 1 << 21;  // words of 64 bits that hold the mask: 16 MiB
constexpr int64_t kTask = 1 << 15;       // mask words that a thread draws at a time
constexpr int64_t kBlock = 1 << 12;      // mask words that are looked at together
constexpr int64_t kStretch = 1 << 16;    // positions of a long line that a thread takes at a time
constexpr int64_t kStride = 1 << 7;      // wanted positions further apart are looked at one by one
constexpr int64_t kTransposed = 1 << 8;  // blocks of 64 × 64 bits that a thread takes at a time
constexpr int64_t kSerial = 2 * kChunk;  // fewer mask words are not worth waking a thread for

using Words = std::unique_ptr<uint32_t[]>;

// Lends buffers for mask words to as many threads as need one at a time.
class WordsPool {
 public:
  explicit WordsPool(int64_t words) : words_(size_t(words)) {}

  Words take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return Words(new uint32_t[words_]);
    Words words = std::move(free_.back());
    free_.pop_back();
    return words;
  }
  void put_back(Words words) {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(words));
  }

 private:
  const size_t words_;
  std::mutex mutex_;
  std::vector<Words> free_;
};

// Describes the chosen entries of a line: those whose words are below a bound, and those at some places whose words
// equal it.
struct Chosen {
  uint32_t bound = 0;
  std::vector<int64_t> ties;
};

class Sparse {
 public:
  Sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt)
      : draw_(draw),
        interrupt_(interrupt),
        kernels_(active_kernels()),
        pitch_(line_pitch(draw.length)),
        pool_(std::max(pitch_, kBlock) + kWholeRegisters),
        run_(double(Shape(part).lines) * double(pitch_) < double(kSerial), interrupt) {
    mask_draw_.distribution = Distribution::bits;
    mask_draw_.dtype = Dtype::uint32;
    mask_draw_.seed = draw.values.seed, mask_draw_.id = draw.mask_stream;
  }

  // Makes a weight in parts of so many lines that their bits fit into memory.
  void make(const SparsePart& part) {
    const Shape shape(part);
    const int64_t least = shape.lines_outer ? 1 : 64;
    if (shape.lines > least && (shape.words() > kMaskWords || (is_long() && shape.lines > kMostLines)))
      return halve(part, true, [&](const SparsePart& half) { make(half); });
    if (!is_long()) return fill_marked(part, shape, [&](uint64_t* bits) { mark_short_lines(shape, bits); });
    std::vector<Chosen> chosen(size_t(shape.lines));
    each_line(shape, [&](int64_t i, uint64_t line) { chosen[size_t(i)] = choose_in_long_line(line); });
    make_long(part, chosen);
  }

 private:
  bool is_long() const { return draw_.length > kLong; }

  void make_long(const SparsePart& part, const std::vector<Chosen>& chosen) {
    const Shape shape(part);
    if (shape.words() > kMaskWords) return halve(part, false, [&](const SparsePart& half) { make_long(half, chosen); });
    fill_marked(part, shape, [&](uint64_t* bits) { mark_long_lines(shape, chosen, bits); });
  }

  // Calls body(i, line) for the wanted lines, with their numbers.
  template <class Body>
  static void each_line(const Shape& shape, const Body& body) {
    int64_t i = 0;
    walk(shape.line_numbers, 0, shape.lines, [&](uint64_t first, const char*, int64_t count) {
      for (int64_t k = 0; k < count; ++k)
        body(i++, first + uint64_t(k * shape.line_numbers.axes.back().step));
    });
  }

  template <class Mark>
  void fill_marked(const SparsePart& part, const Shape& shape, const Mark& mark) {
    const int64_t count = shape.words(), blocks = count / 64;
    const std::unique_ptr<uint64_t[]> bits(new uint64_t[size_t(count)]);
    if (!shape.lines_outer && shape.lines % 64 != 0)  // lines that only fill the last block
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
    if (!shape.lines_outer) group = ceil_div(group, 8) * 8;  // so that lines in one cache line are in one group
    const int64_t step = shape.line_numbers.axes.back().step;
    const int64_t batch =
        step == 1 ? std::max<int64_t>(1, kBlock / pitch_) : 1;  // the number of lines whose words are drawn together
    run_(ceil_div(shape.lines, group), [&](int64_t task) {
      Words words = pool_.take();
      int64_t i = task * group;
      walk(shape.line_numbers, i, std::min(shape.lines, i + group), [&](uint64_t line, const char*, int64_t count) {
        for (int64_t taken; count > 0; line += uint64_t(taken * step), count -= taken) {
          taken = std::min(batch, count);
          draw_words(line, 0, taken * pitch_, words.get());
          for (int64_t k = 0; k < taken; ++k)
            mark_short_line(shape, i++, words.get() + k * pitch_, bits);
        }
      });
      pool_.put_back(std::move(words));
    });
  }

  void mark_short_line(const Shape& shape, int64_t i, const uint32_t* words, uint64_t* bits) const {
    const Cut cut = kernels_.schemes->cut(words, draw_.length, draw_.nonzeros);
    Chosen chosen{cut.bound, {}};
    for (int64_t p = 0; int64_t(chosen.ties.size()) < cut.ties; ++p)
      if (words[p] == cut.bound) chosen.ties.push_back(p);
    mark(shape, i, 0, shape.positions, chosen, bits, [&](uint64_t position, int64_t) { return words + position; });
  }

  // Chooses in one long line on all threads; its words are drawn again for every count.
  Chosen choose_in_long_line(uint64_t line) {
    const Cut cut = find_cut(draw_.length, draw_.nonzeros, [&](uint32_t bound) {
      std::atomic<int64_t> below{0};
      each_block(line, [&](const uint32_t* words, int64_t count, int64_t) {
        below += kernels_.schemes->count_below(words, count, bound);
      });
      return below.load();
    });
    Chosen chosen{cut.bound, {}};
    if (cut.ties == 0) return chosen;
    std::mutex mutex;
    each_block(line, [&](const uint32_t* words, int64_t count, int64_t place) {
      for (int64_t k = 0; k < count; ++k) {
        if (words[k] != cut.bound) continue;
        const std::lock_guard<std::mutex> lock(mutex);
        chosen.ties.push_back(place + k);
      }
    });
    std::sort(chosen.ties.begin(), chosen.ties.end());
    chosen.ties.resize(size_t(cut.ties));
    return chosen;
  }

  // Calls body(words, count, place) for the words of a long line, on all threads.
  template <class Body>
  void each_block(uint64_t line, const Body& body) {
    run_(ceil_div(draw_.length, kStretch), [&](int64_t i) {
      const int64_t end = std::min(draw_.length, (i + 1) * kStretch);
      for (int64_t p = i * kStretch; p < end; p += kBlock) {
        uint32_t words[kBlock + kWholeRegisters];
        const int64_t count = std::min(kBlock, end - p);
        draw_words(line, uint64_t(p), count, words);
        body(words, count, p);
      }
    });
  }

  void mark_long_lines(const Shape& shape, const std::vector<Chosen>& chosen, uint64_t* bits) {
    const int64_t stretches = ceil_div(shape.positions, kStretch);
    run_(shape.lines * stretches, [&](int64_t task) {
      const int64_t i = task / stretches, begin = task % stretches * kStretch;
      walk(shape.line_numbers, i, i + 1, [&](uint64_t line, const char*, int64_t) {
        uint32_t words[kBlock + kWholeRegisters];
        mark(shape, i, begin, std::min(shape.positions, begin + kStretch), chosen[size_t(i)], bits,
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

  // Writes the bits of the wanted positions begin … end - 1 of the wanted line i; words(position, count) returns its
  // words.
  template <class WordsOf>
  void mark(const Shape& shape, int64_t i, int64_t begin, int64_t end, const Chosen& entries, uint64_t* bits,
            const WordsOf& words) const {
    const int64_t step = shape.position_numbers.axes.back().step;
    BitWriter writer(bits + shape.word_of(i, begin), shape.lines_outer ? 1 : 64);
    walk(shape.position_numbers, begin, end, [&](uint64_t first, const char*, int64_t count) {
      for (int64_t taken; count > 0; first += uint64_t(taken * step), count -= taken) {
        taken = step > kStride ? 1 : std::min(count, (kBlock - 1) / step + 1);
        const int64_t span = (taken - 1) * step + 1;
        uint64_t chosen[kBlock / 64];
        kernels_.schemes->below(words(first, span), span, entries.bound, chosen);
        for (const int64_t tie : entries.ties) {
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
  WordsPool pool_;
  Runner run_;
};

}  // namespace

void sparse(const SparseDraw& draw, const SparsePart& part, const Interrupt& interrupt) {
  Sparse(draw, part, interrupt).make(part);
}

}  // namespace fanin::cpu
