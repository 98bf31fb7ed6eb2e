#include "cpu/fill.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/dispatch.hpp"
#include "cpu/scheme_kernels.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kScratch = 1024;               // elements that are computed before they are scattered
constexpr int64_t kShortRun = 32;                // shorter contiguous runs are filled more quickly element by element
constexpr int64_t kSparse = 4;                   // and so are runs of which fewer than one element in four is wanted
constexpr int64_t kRows = 32, kRowBytes = 2048;  // a panel of an output that is contiguous along another axis

// Fills a stretch of the innermost axis: `count` elements from flat index `first` on, `step` apart. It computes one
// contiguous run and keeps every step-th element.
void fill_run(const Kernels& kernels, const Draw& draw, uint64_t first, int64_t step, char* data, int64_t stride,
              int64_t count) {
  const auto size = int64_t(itemsize(draw.dtype));
  if (step == 1 && stride == size) return kernels.run(draw, first, uint64_t(count), data);
  alignas(64) char scratch[kScratch * 8];
  while (count > 0) {
    const int64_t n = std::min(count, kScratch / step);
    kernels.run(draw, first, uint64_t((n - 1) * step + 1), scratch);
    scatter(size_t(size), scratch, size * step, data, stride, n);
    first += uint64_t(n * step), data += n * stride, count -= n;
  }
}

// Collects elements one by one from any number of stretches, and computes them together.
class Gather {
 public:
  Gather(const Kernels& kernels, const Draw& draw) : kernels_(kernels), draw_(draw), size_(itemsize(draw.dtype)) {}
  void add(uint64_t first, int64_t step, char* data, int64_t stride, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      index_[n_] = first + uint64_t(i * step);
      target_[n_] = data + i * stride;
      if (++n_ == kScratch) flush();
    }
  }
  void flush() {
    alignas(64) char scratch[kScratch * 8];
    kernels_.gather(draw_, index_, uint64_t(n_), scratch);
    for (int64_t i = 0; i < n_; ++i)
      scatter(size_, scratch + size_t(i) * size_, 0, target_[i], 0, 1);
    n_ = 0;
  }

 private:
  const Kernels& kernels_;
  const Draw& draw_;
  const size_t size_;
  int64_t n_ = 0;
  uint64_t index_[kScratch];
  char* target_[kScratch];
};

// Zeroes those of elements begin … begin + count - 1 of the box, at most kChunk, that a mask does not keep.
void apply(const Kernels& kernels, const Mask& mask, int64_t begin, int64_t count, size_t size, char* data,
           int64_t stride) {
  uint64_t bits[kChunk / 64];
  mask.read(begin, count, bits);
  if (stride == int64_t(size)) return kernels.schemes->keep(bits, count, size, data);
  for (int64_t i = 0; i < count; ++i)
    if ((bits[i / 64] >> i % 64 & 1) == 0) memset(data + i * stride, 0, size);
}

// Returns the axis of groups of `size` neighbours.
Axis grouped(const Axis& axis, int64_t size) {
  if (axis.count <= size) return {1, 0, 0};
  return {(axis.count + size - 1) / size, axis.step * size, axis.stride * size};
}

// Returns a region whose elements are panels of another: kRows rows along the axis `across`, with `longest` elements
// each.
Region panels_of(Region region, size_t across, int64_t longest) {
  auto& axes = region.axes;
  const Axis rows = axes[across], columns = axes.back();
  axes.erase(axes.begin() + long(across));
  axes.back() = grouped(rows, kRows);
  axes.push_back(grouped(columns, longest));
  return region;
}

// Returns the same box with steps that count its own elements.
Region numbered(Region region) {
  region.first = 0;
  int64_t step = 1;
  for (size_t i = region.axes.size(); i-- > 0; step *= region.axes[i].count)
    region.axes[i].step = step;
  return region;
}

// Fills an output that is contiguous along another axis than the global tensor. Rows of a panel are computed in the
// order of the tensor and written in that of the output, so that a cache line is touched once, not once for each of its
// elements.
void fill_panels(const Kernels& kernels, const Draw& draw, const Region& region, size_t across,
                 const Interrupt& interrupt, const Mask* mask) {
  const auto size = int64_t(itemsize(draw.dtype));
  const int64_t longest = kRowBytes / size;
  const Region panels = panels_of(region, across, longest), numbers = panels_of(numbered(region), across, longest);
  const Axis rows = region.axes[across], columns = region.axes.back();
  const Axis segments = panels.axes.back(), groups = panels.axes[panels.axes.size() - 2];
  const int64_t row = numbered(region).axes[across].step;
  const int64_t count = elements(panels);
  parallel_chunks(uint64_t(count), count == 1, interrupt, [&](uint64_t number) {
    const auto panel = int64_t(number);
    const int64_t height = std::min(kRows, rows.count - panel / segments.count % groups.count * kRows);
    const int64_t width = std::min(longest, columns.count - panel % segments.count * longest);
    walk(panels, panel, panel + 1, [&](uint64_t first, char* data, int64_t) {
      alignas(64) char scratch[kRows * kRowBytes];
      for (int64_t i = 0; i < height; ++i)
        kernels.run(draw, first + uint64_t(i * rows.step), uint64_t(width), scratch + i * kRowBytes);
      if (mask) {
        walk(numbers, panel, panel + 1, [&](uint64_t start, const char*, int64_t) {
          for (int64_t i = 0; i < height; ++i)
            apply(kernels, *mask, int64_t(start) + i * row, width, size_t(size), scratch + i * kRowBytes, size);
        });
      }
      for (int64_t j = 0; j < width; ++j)
        scatter(size_t(size), scratch + j * size, kRowBytes, data + j * columns.stride, rows.stride, height);
    });
  });
}

}  // namespace

void fill(const Draw& draw, Region region, const Interrupt& interrupt, const Mask* mask) {
  const Kernels& kernels = active_kernels();
  simplify(region);
  const Axis inner = region.axes.back();
  const bool runs = inner.step <= kSparse && inner.count * inner.step >= kShortRun;
  const auto size = int64_t(itemsize(draw.dtype));
  if (inner.step == 1 && inner.count >= kShortRun && inner.stride != size) {
    for (size_t i = 0; i + 1 < region.axes.size(); ++i)
      if (region.axes[i].stride == size) return fill_panels(kernels, draw, region, i, interrupt, mask);
  }
  in_chunks(region, interrupt, int64_t(tile_elements(draw.dtype)), [&](int64_t begin, int64_t end) {
    if (runs) {
      walk(region, begin, end, [&](uint64_t first, char* data, int64_t n) {
        fill_run(kernels, draw, first, inner.step, data, inner.stride, n);
      });
    } else {
      Gather gather(kernels, draw);
      walk(region, begin, end,
           [&](uint64_t first, char* data, int64_t n) { gather.add(first, inner.step, data, inner.stride, n); });
      gather.flush();
    }
    if (!mask) return;
    int64_t number = begin;
    walk(region, begin, end, [&](uint64_t, char* data, int64_t n) {
      apply(kernels, *mask, number, n, size_t(size), data, inner.stride);
      number += n;
    });
  });
}

void fill_constant(uint64_t pattern, size_t itemsize, Region region, const Interrupt& interrupt) {
  simplify(region);
  const int64_t stride = region.axes.back().stride;
  in_chunks(region, interrupt, 1, [&](int64_t begin, int64_t end) {
    walk(region, begin, end, [&](uint64_t, char* data, int64_t n) {
      if (stride == int64_t(itemsize) && pattern == 0)
        memset(data, 0, size_t(n) * itemsize);
      else
        scatter(itemsize, reinterpret_cast<const char*>(&pattern), 0, data, stride,
                n);  // every target is little-endian
    });
  });
}

}  // namespace fanin::cpu
