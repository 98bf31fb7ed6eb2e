// Long vectors, never held whole: all reflectors are one block, whose products with the start vectors are known, and windows
// of coordinates are drawn three times: for the norms, for the Gram matrix, and for the vectors.
#pragma once

#include <cstring>

#include "cpu/orthogonal_maker.hpp"

namespace fanin {

template <class T>
class Streamed : Maker<T> {
 public:
  using Maker<T>::matrix;
  using Maker<T>::kernels;
  using typename Maker<T>::Group;

  explicit Streamed(const Maker<T>& maker) : Maker<T>(maker) {}

  // Whether all reflectors are one block. The bits depend on it.
  static bool suits(const OrthogonalMatrix& m) { return m.count <= kMost && m.length > kLong; }

  void make(Runner run) const {
    constexpr int64_t kWindowBytes = 8 * kMiB;
    const int64_t needed = matrix.vectors.back().number + 1, padded = round_up_to(needed, kTileSide);
    const int64_t window = kWindowBytes / (padded * int64_t(sizeof(T))) / kSegment * kSegment;
    const auto total = int64_t(matrix.vectors.size());
    const Buffer<T> tiles(padded * std::min(window, this->padded())), small(this->numbers(padded));
    const Buffer<T> products(this->registers(total) * kernels.lanes * padded);
    ReflectorBlock<T> block = this->block(0, needed, tiles.get(), small.get());
    const std::vector<Group> groups = this->groups(0, total, products.get(), padded, run.threads());
    const auto count = int64_t(groups.size());

    const auto windows = [&](const auto& body) {
      for (block.from = 0; block.from < matrix.length; block.from += window) {
        block.to = std::min(matrix.length, block.from + window);
        body();
      }
    };
    const auto draw = [&](bool sum) {
      run(block.tile_columns(), [&](int64_t column) { kernels.draw(block, column, sum); });
    };
    const bool whole = window >= matrix.length;
    windows([&] { draw(true); });
    windows([&] {
      if (!whole) draw(false);
      add_gram(block, run);
      if (block.from == 0) run(count, [&](int64_t i) { start(block, groups[size_t(i)]); });
    });
    run(count, [&](int64_t i) { kernels.solve(block, groups[size_t(i)].panel, groups[size_t(i)].panel.data); });
    windows([&] {
      if (!whole) draw(false);
      const int64_t segments = (block.to - block.from + kSegment - 1) / kSegment;
      run(segments * count,
          [&](int64_t i) { write_segment(block, groups[size_t(i % count)], block.from / kSegment + i / count); });
    });
  }

 private:
  static constexpr int64_t kMost = 1024;     // reflectors: the Gram matrix and the coefficients stay small
  static constexpr int64_t kLong = 1 << 15;  // coordinates
  static constexpr int64_t kMostWidth = 3 * 16;

  void add_gram(const ReflectorBlock<T>& block, Runner& run) const {
    std::vector<std::pair<int64_t, int64_t>> columns;  // from, registers
    for (int64_t left = 0, r; left < block.gram_pitch(); left += r * kernels.lanes) {
      r = gram_registers(block.gram_pitch() - left, kernels.lanes);
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

}  // namespace fanin
