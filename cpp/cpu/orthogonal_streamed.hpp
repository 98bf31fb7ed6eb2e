// Makes long vectors, which are never held whole: all reflectors are one block, whose products with the start vectors
// are known. Windows of coordinates are needed three times: for the norms, for the Gram matrix, and for the vectors;
// those that fit into the workspace stay in memory, the others are drawn again.
#pragma once

#include <cstring>

#include "cpu/orthogonal_maker.hpp"

namespace fanin::cpu {

template <class T>
class Streamed : Maker<T> {
 public:
  using Maker<T>::matrix;
  using Maker<T>::kernels;
  using typename Maker<T>::Group;

  explicit Streamed(const Maker<T>& maker) : Maker<T>(maker) {}

  // Tells whether all reflectors are one block, which decides the bits.
  static bool suits(const OrthogonalMatrix& m) { return m.count <= kMost && m.length > kLong; }

  void make(Runner run) const {
    const int64_t needed = matrix.vectors.back().number + 1, padded = round_up_to(needed, kTileSide);
    const int64_t row = padded * int64_t(sizeof(T)), window = std::max(kMost, kWindowBytes / row / kSegment * kSegment);
    const int64_t windows = (matrix.length + window - 1) / window;
    const auto total = int64_t(matrix.vectors.size());
    const Buffer<T> small(this->numbers(padded)), products(this->registers(total) * kernels.lanes * padded);
    const int64_t left = kWorkspaceBytes - small.bytes() - products.bytes();
    const int64_t kept = std::min(windows, left / (window * row));
    const Buffer<T> tiles(kept * padded * std::min(window, this->padded()));
    ReflectorBlock<T> block = this->block(0, needed, tiles.get(), small.get());
    const std::vector<Group> groups = this->groups(0, total, kernels.streamed, products.get(), padded, run.threads());
    const auto count = int64_t(groups.size());

    // The first windows stay in memory; the others share a place.
    int64_t last = -1;  // the window in the shared place
    const auto load = [&](int64_t i, bool sum) {
      block.from = i * window, block.to = std::min(matrix.length, block.from + window);
      block.tiles = tiles.get() + std::min(i, kept - 1) * padded * window;
      if (!sum && (i < kept - 1 || i == last)) return;
      const bool keep = !sum || i < kept - 1 || i == windows - 1;
      run(block.tile_columns(), [&](int64_t column) { kernels.draw(block, column, sum, keep); });
      if (i >= kept - 1) last = i;
    };
    for (int64_t i = 0; i < windows; ++i)
      load(i, true);
    place_heads(block, tiles.get());
    for (int64_t i = 0; i < windows; ++i) {
      load(i, false);
      add_gram(block, run);
      if (i == 0) run(count, [&](int64_t g) { start(block, groups[size_t(g)]); });
    }
    run(count, [&](int64_t i) { kernels.solve(block, groups[size_t(i)].panel, groups[size_t(i)].panel.data); });
    for (int64_t i = windows; i-- > 0;) {  // beginning with the window that is still there
      load(i, false);
      const int64_t segments = (block.to - block.from + kSegment - 1) / kSegment;
      run(segments * count,
          [&](int64_t n) { write_segment(block, groups[size_t(n % count)], block.from / kSegment + n / count); });
    }
  }

 private:
  // The largest number of reflectors: the Gram matrix and the coefficients stay small, and the first window has all
  // heads.
  static constexpr int64_t kMost = 1024;
  static constexpr int64_t kLong = 1 << 15;  // coordinates
  static constexpr int64_t kMostWidth = 3 * 16;
  static constexpr int64_t kWindowBytes = 4 * kMiB;      // reflectors' coordinates that are drawn together
  static constexpr int64_t kWorkspaceBytes = 64 * kMiB;  // besides what the stacks of the threads hold

  // Puts the heads into the first window, which was drawn before they were known.
  static void place_heads(const ReflectorBlock<T>& block, T* tiles) {
    const int64_t stride = block.tile_columns() * kTileSide * kTileSide;
    for (int64_t k = 0; k < block.count; ++k)
      tiles[k / kTileSide * (stride + kTileSide * kTileSide) + k % kTileSide * (kTileSide + 1)] = block.head[k];
  }

  void add_gram(const ReflectorBlock<T>& block, Runner& run) const {
    std::vector<std::pair<int64_t, int64_t>> columns;  // from, registers
    for (int64_t left = 0, r; left < block.gram_pitch(); left += r * kernels.lanes) {
      r = gram_registers(block.gram_pitch() - left, kernels.lanes, kernels.registers);
      columns.emplace_back(left, r);
    }
    run(int64_t(columns.size()), [&](int64_t i) {
      const auto [left, r] = columns[size_t(i)];
      for (int64_t segment = block.from / kSegment; segment * kSegment < block.to; ++segment)
        kernels.gram(block, segment, left, r, block.gram, segment > 0);
    });
  }

  // The products of ±e_j with the reflectors are their coordinates j.
  void start(const ReflectorBlock<T>& block, const Group& group) const {
    const int64_t width = group.panel.registers * kernels.lanes, stride = block.tile_columns() * kTileSide * kTileSide;
    memset(group.panel.data, 0, size_t(block.tile_columns() * kTileSide * width) * sizeof(T));
    for (int64_t v = group.begin; v < group.end; ++v) {
      const int64_t j = matrix.vectors[size_t(v)].number;
      const T* const coordinate = block.tiles + j / kTileSide * stride + j % kTileSide * kTileSide;
      for (int64_t k = 0; k <= j; ++k) {
        const T x = coordinate[k / kTileSide * kTileSide * kTileSide + k % kTileSide];
        group.panel.data[k * width + v - group.begin] = block.sign[j] * x;
      }
    }
  }

  void write_segment(const ReflectorBlock<T>& block, const Group& group, int64_t segment) const {
    alignas(64) T data[kSegment * kMostWidth];
    Group part = group;
    const int64_t from = segment * kSegment, to = std::min(block.to, from + kSegment);
    const int64_t width = group.panel.registers * kernels.lanes;
    part.panel.data = data, part.panel.from = from;
    memset(data, 0, size_t(round_up_to(to - from, kTileSide) * width) * sizeof(T));
    for (int64_t v = group.begin; v < group.end; ++v) {
      const int64_t j = matrix.vectors[size_t(v)].number;
      if (j >= from && j < to) data[(j - from) * width + v - group.begin] = block.sign[j];
    }
    kernels.update(block, part.panel, segment, group.panel.data);
    this->store(part, from, to);
  }
};

}  // namespace fanin::cpu
