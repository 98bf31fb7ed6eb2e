// Holds what both ways of making orthogonal vectors share: memory, threads, and storing a panel.
#pragma once

#include <algorithm>
#include <vector>

#include "cpu/buffer.hpp"
#include "cpu/orthogonal.hpp"
#include "cpu/reflectors.hpp"
#include "cpu/runner.hpp"

namespace fanin::cpu {

template <class T>
struct Maker {
  const OrthogonalDraw& draw;
  const OrthogonalMatrix& matrix;
  const Coordinates& where;
  const ReflectorKernels<T>& kernels;

  int64_t padded() const { return round_up_to(matrix.length, kTileSide); }
  int64_t segments() const { return (matrix.length + kSegment - 1) / kSegment; }
  int64_t registers(int64_t vectors) const { return (vectors + kernels.lanes - 1) / kernels.lanes; }

  // Counts the numbers that a block has besides its tiles: rest, head, sign, half, Gram.
  static int64_t numbers(int64_t reflectors) {
    return round_up_to(reflectors, kTileSide) * (5 + round_up_to(reflectors, kGramMultiple));
  }
  ReflectorBlock<T> block(int64_t start, int64_t count, T* tiles, T* numbers) const {
    ReflectorBlock<T> b{};
    b.draw.distribution = Distribution::normal;
    b.draw.dtype = sizeof(T) == 4 ? Dtype::float32 : Dtype::float64;
    b.draw.seed = draw.seed, b.draw.id = draw.id;
    b.draw.factor = 1;
    b.first = matrix.first, b.pitch = line_pitch(matrix.length), b.length = matrix.length;
    b.start = b.from = start, b.count = count, b.to = matrix.length;
    b.tiles = tiles;
    const int64_t each = round_up_to(count, kTileSide);
    b.rest = reinterpret_cast<double*>(numbers);
    b.head = numbers + 2 * each, b.sign = b.head + each, b.half = b.sign + each, b.gram = b.half + each;
    return b;
  }

  struct Group {
    Panel<T> panel;
    int64_t begin, end;  // its vectors
  };
  // Divides vectors begin … end - 1 into groups of about equal size, with at most `most` registers each, and enough of
  // them for all threads. They lie one after another in `data`, with `coordinates` coordinates of each vector.
  std::vector<Group> groups(int64_t begin, int64_t end, int64_t most, T* data, int64_t coordinates,
                            int64_t threads) const {
    const int64_t all = registers(end - begin);
    const int64_t count = std::min(all, round_up_to((all + most - 1) / most, threads));
    std::vector<Group> result;
    for (int64_t i = 0, from = begin; i < count; ++i) {
      const int64_t taken = (i + 1) * all / count - i * all / count, to = std::min(end, from + taken * kernels.lanes);
      const int64_t last = matrix.vectors[size_t(to - 1)].number;
      result.push_back({{data + (from - begin) * coordinates, 0, taken, last, 0}, from, to});
      from = to;
    }
    return result;
  }

  // Stores those of a panel's coordinates from … to - 1 that are wanted.
  void store(const Group& group, int64_t from, int64_t to) const {
    const Axis& inner = where.axes.back();
    int64_t outer = 1;
    for (size_t a = 0; a + 1 < where.axes.size(); ++a)
      outer *= where.axes[a].count;
    std::vector<char*> rows(size_t(group.end - group.begin));
    for (int64_t n = 0; n < outer; ++n) {
      int64_t rest = n, first = where.first, offset = 0;
      for (size_t a = where.axes.size() - 1; a-- > 0;) {
        const Axis& axis = where.axes[a];
        first += rest % axis.count * axis.step, offset += rest % axis.count * axis.stride;
        rest /= axis.count;
      }
      // Finds the entries i with from <= first + i·step < to.
      const int64_t step = std::abs(inner.step), low = inner.step > 0 ? from - first : first - to + 1;
      const int64_t high = inner.step > 0 ? to - first : first - from + 1;
      const int64_t begin = low <= 0 ? 0 : (low + step - 1) / step;
      const int64_t end = high <= 0 ? 0 : std::min(inner.count, (high + step - 1) / step);
      if (begin >= end) continue;
      for (size_t r = 0; r < rows.size(); ++r)
        rows[r] = matrix.vectors[size_t(group.begin) + r].data + offset + begin * inner.stride;
      kernels.write(group.panel, {draw.dtype, draw.gain, rows.data(), int64_t(rows.size()), first + begin * inner.step,
                                  inner.step, end - begin, inner.stride});
    }
  }
};

}  // namespace fanin::cpu
