// Makes vectors that are held whole, in panels to which block after block of reflectors is applied.
#pragma once

#include <cstring>

#include "cpu/orthogonal_maker.hpp"

namespace fanin::cpu {

template <class T>
class Blocked : Maker<T> {
 public:
  using Maker<T>::draw;
  using Maker<T>::matrix;
  using Maker<T>::kernels;
  using typename Maker<T>::Group;

  explicit Blocked(const Maker<T>& maker)
      : Maker<T>(maker), b_(block_reflectors()), most_(std::min(b_, round_up_to(matrix.count, kTileSide))) {
    constexpr int64_t kPanelBytes = 40 * kMiB;    // vectors for which reflectors are drawn once
    constexpr int64_t kTogetherBytes = 8 * kMiB;  // blocks that a panel passes while it is in the cache
    const int64_t size = this->padded() * int64_t(sizeof(T)), all = this->registers(int64_t(matrix.vectors.size()));
    const int64_t fit = std::max<int64_t>(1, kPanelBytes / (size * kernels.lanes));
    const int64_t batches = (all + fit - 1) / fit;  // of about equal size
    batch_ = (all + batches - 1) / batches * kernels.lanes;
    together_ = std::min(matrix.vectors.back().number / b_ + 1, std::max<int64_t>(1, kTogetherBytes / (b_ * size)));
  }

  int64_t bytes() const { return int64_t(sizeof(T)) * this->padded() * (batch_ + together_ * most_); }

  void make(Runner run) const {
    const Buffer<T> panels(panel_numbers()), tiles(tile_numbers()), small(small_numbers());
    make(run, panels.get(), tiles.get(), small.get());
  }

  // The same needs memory for `workspace()` numbers, which many small matrices can share.
  int64_t workspace() const { return panel_numbers() + tile_numbers() + small_numbers(); }
  void make(Runner run, T* memory) const {
    make(run, memory, memory + panel_numbers(), memory + panel_numbers() + tile_numbers());
  }

 private:
  int64_t panel_numbers() const { return batch_ * this->padded(); }
  int64_t tile_numbers() const { return together_ * most_ * this->padded(); }
  int64_t small_numbers() const {
    return together_ * (this->numbers(most_) + this->segments() * most_ * round_up_to(most_, kGramMultiple));
  }

  void make(Runner& run, T* panels, T* tiles, T* small) const {
    const int64_t numbers = this->numbers(most_);
    const auto total = int64_t(matrix.vectors.size());
    for (int64_t begin = 0; begin < total; begin += batch_) {
      const int64_t end = std::min(total, begin + batch_);
      std::vector<Group> groups = this->groups(begin, end, kernels.registers, panels, this->padded(), run.threads());
      const auto count = int64_t(groups.size());
      run(count, [&](int64_t i) {
        const Panel<T>& p = groups[size_t(i)].panel;
        memset(p.data, 0, size_t(this->padded() * p.registers * kernels.lanes) * sizeof(T));
      });
      // The determinant of a square matrix is the product of all s = -sign: n reflections have -1 each, the starts -s.
      bool negative = false;
      for (int64_t start = groups.back().panel.last / b_ * b_; start >= 0; start -= together_ * b_) {
        std::vector<ReflectorBlock<T>> blocks;
        for (int64_t i = 0; i < together_ && start - i * b_ >= 0; ++i) {
          const int64_t s = start - i * b_;
          blocks.push_back(
              this->block(s, std::min(b_, matrix.count - s), tiles + i * most_ * this->padded(), small + i * numbers));
        }
        draw_blocks(blocks, small + together_ * numbers, run);
        for (const auto& block : blocks)
          negative ^= std::count_if(block.sign, block.sign + block.count, [](T sign) { return sign > 0; }) % 2 != 0;
        run(count, [&](int64_t i) {
          for (const auto& block : blocks)
            pass(block, groups[size_t(i)]);
        });
      }
      if (draw.special && negative && groups.back().panel.last == matrix.count - 1) negate_last(groups.back());
      run(count, [&](int64_t i) { this->store(groups[size_t(i)], 0, matrix.length); });
    }
  }

  // Returns the number of reflectors in a block, which decides the bits.
  int64_t block_reflectors() const {
    constexpr int64_t kBlockBytes = 16 * kMiB;
    int64_t b = kMostReflectors;
    while (b > kTileSide && b * matrix.length * int64_t(sizeof(T)) > kBlockBytes)
      b /= 2;
    return b;
  }

  // Draws reflectors and computes Gram matrices; `partial` holds the segments' parts of the latter.
  void draw_blocks(const std::vector<ReflectorBlock<T>>& blocks, T* partial, Runner& run) const {
    const int64_t columns = most_ / kTileSide, segments = this->segments();
    const int64_t square = most_ * round_up_to(most_, kGramMultiple);
    const auto each = [&](int64_t parts, const auto& body) {
      run(int64_t(blocks.size()) * parts, [&](int64_t i) { body(blocks[size_t(i / parts)], i % parts, i); });
    };
    each(columns, [&](const ReflectorBlock<T>& block, int64_t column, int64_t) {
      if (column < block.tile_columns()) kernels.draw(block, column, true, true);
    });
    each(segments, [&](const ReflectorBlock<T>& block, int64_t segment, int64_t i) {
      if (segment < block.start / kSegment) return;
      for (int64_t left = 0, r; left < block.gram_pitch(); left += r * kernels.lanes) {
        r = gram_registers(block.gram_pitch() - left, kernels.lanes, kernels.registers);
        kernels.gram(block, segment, left, r, partial + i * square, false);
      }
    });
    each(1, [&](const ReflectorBlock<T>& block, int64_t, int64_t b) {
      for (int64_t segment = block.start / kSegment; segment < segments; ++segment) {
        const T* const part = partial + (b * segments + segment) * square;
        for (int64_t i = 0; i < block.gram_elements(); ++i)
          block.gram[i] = segment == block.start / kSegment ? part[i] : block.gram[i] + part[i];
      }
    });
  }

  // Applies a block to a group of vectors; vector j starts as ±e_j.
  void pass(const ReflectorBlock<T>& block, Group& group) const {
    Panel<T>& panel = group.panel;
    for (int64_t v = group.begin; v < group.end; ++v) {
      const int64_t number = matrix.vectors[size_t(v)].number, k = number - block.start;
      if (k < 0 || k >= block.count) continue;
      panel.data[number * panel.registers * kernels.lanes + v - group.begin] = block.sign[k];
      panel.extent = std::max(panel.extent, number + 1);
    }
    if (panel.extent <= block.start) return;
    kernels.apply(block, panel);
    panel.extent = block.length;
  }

  // Goes from O(n) to SO(n). Negating the last vector where det Q = -1 is f(Q) = Q·diag(1, …, 1, det Q), and
  // f(RQ) = R·f(Q) for a rotation R, since det RQ = det Q. RQ has the law of Q, Haar's, so R·f(Q) has that of f(Q): it
  // is Haar's law on SO(n), the only one that no rotation changes.
  void negate_last(const Group& group) const {
    const int64_t width = group.panel.registers * kernels.lanes, r = group.end - 1 - group.begin;
    for (int64_t c = 0; c < matrix.length; ++c)
      group.panel.data[c * width + r] *= -1;
  }

  int64_t b_, most_;          // the number of reflectors in a block, and in the largest block that there is
  int64_t batch_, together_;  // the numbers of vectors and blocks that are worked on together
};

}  // namespace fanin::cpu
