// Describes a part of a sparse weight as lines by positions, with a bit for each.
#pragma once

#include <algorithm>

#include "core/tile.hpp"
#include "cpu/sparse.hpp"

namespace fanin::cpu {

constexpr int64_t ceil_div(int64_t n, int64_t by) { return (n + by - 1) / by; }

// Holds the lines and positions of a part, and where their bits are kept while lines are marked.
struct Shape {
  const bool lines_outer;
  int64_t lines = 1, positions = 1;
  Region line_numbers, position_numbers;  // these are only walked; there is no memory behind them

  explicit Shape(const SparsePart& part)
      : lines_outer(part.lines_outer),
        line_numbers{part.first_line, nullptr, {}},
        position_numbers{part.first_position, nullptr, {}} {
    for (const auto& axis : part.axes) {
      (axis.of_lines ? line_numbers : position_numbers).axes.push_back({axis.count, axis.number, 0});
      (axis.of_lines ? lines : positions) *= axis.count;
    }
    join(line_numbers), join(position_numbers);
  }

  // A line's bits are consecutive words; or, where lines lie across memory, the words of 64 lines alternate, so that
  // blocks of 64 × 64 bits can be transposed in place.
  int64_t row() const { return ceil_div(positions, 64); }
  int64_t words() const { return (lines_outer ? lines : ceil_div(lines, 64) * 64) * row(); }
  int64_t word_of(int64_t line, int64_t position) const {
    if (lines_outer) return line * row() + position / 64;
    return (line / 64 * row() + position / 64) * 64 + line % 64;
  }
  Mask mask(const uint64_t* bits) const {
    if (lines_outer) return {bits, positions, row(), 1};
    return {bits, lines, 1, row() * 64};
  }
};

constexpr int64_t kAligned = Tile<false>::kElements;

// Calls `body` for two halves of a part, cut along the outermost axis of lines, or of positions, that can be cut.
template <class Body>
void halve(const SparsePart& part, bool lines, const Body& body) {
  const auto axis = std::find_if(part.axes.begin(), part.axes.end(),
                                 [&](const SparseAxis& a) { return a.of_lines == lines && a.count > 1; });
  const int64_t middle = axis->count / 2, first = middle < kAligned ? middle : middle / kAligned * kAligned;
  SparsePart half = part;
  SparseAxis& cut = half.axes[size_t(axis - part.axes.begin())];
  cut.count = first;
  body(half);
  cut.count = axis->count - first;
  half.first += uint64_t(first * axis->step);
  half.data += first * axis->stride;
  (lines ? half.first_line : half.first_position) += uint64_t(first * axis->number);
  body(half);
}

}  // namespace fanin::cpu
