#include "cpu/fill.hpp"

#include <algorithm>
#include <cstring>

#include "cpu/dispatch.hpp"

namespace fanin {
namespace {

constexpr int64_t kChunk = 16384;                // elements a thread takes at a time: 10 to 100 µs
constexpr int64_t kScratch = 1024;               // elements computed before they are scattered
constexpr int64_t kShortRun = 32;                // shorter contiguous runs are cheaper element by element
constexpr int64_t kSparse = 4;                   // and so are runs of which fewer than one element in four is wanted
constexpr int64_t kRows = 32, kRowBytes = 2048;  // a panel of an output that is contiguous along another axis

// Turns every axis forward, drops those of one element and joins neighbours that are contiguous on both sides. The axis
// that walks the global tensor in the smallest steps comes last.
void simplify(Region& region) {
  auto& axes = region.axes;
  for (auto& axis : axes) {
    if (axis.step >= 0) continue;
    region.first += uint64_t(axis.step * (axis.count - 1));
    region.data += axis.stride * (axis.count - 1);
    axis.step = -axis.step, axis.stride = -axis.stride;
  }
  axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& a) { return a.count == 1; }), axes.end());
  std::stable_sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.step > b.step; });
  for (size_t i = axes.size(); i-- > 1;) {
    Axis &outer = axes[i - 1], &inner = axes[i];
    if (outer.step != inner.step * inner.count || outer.stride != inner.stride * inner.count) continue;
    inner.count *= outer.count;
    axes.erase(axes.begin() + long(i) - 1);
  }
  if (axes.empty()) axes.push_back({1, 1, 0});
}

// Copies elements between strides, in units of T.
template <class T>
void scatter_as(const char* source, int64_t source_stride, char* target, int64_t stride, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    memcpy(target + i * stride, source + i * source_stride, sizeof(T));
}

void scatter(size_t size, const char* source, int64_t source_stride, char* target, int64_t stride, int64_t count) {
  if (size == 2) return scatter_as<uint16_t>(source, source_stride, target, stride, count);
  if (size == 4) return scatter_as<uint32_t>(source, source_stride, target, stride, count);
  scatter_as<uint64_t>(source, source_stride, target, stride, count);
}

// A stretch of the innermost axis: `count` elements from flat index `first` on, `step` apart. Computed as one contiguous
// run, of which every step-th element is kept.
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

// Elements collected one by one from any number of stretches, and computed together.
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

// Walks the box in stretches of its innermost axis; stretch(first, data, count) is called for each.
template <class Stretch>
void walk(const Region& region, int64_t begin, int64_t end, const Stretch& stretch) {
  const Axis& inner = region.axes.back();
  while (begin < end) {
    int64_t outer = begin / inner.count, offset = begin % inner.count;
    const int64_t n = std::min(end - begin, inner.count - offset);
    uint64_t first = region.first + uint64_t(offset * inner.step);
    char* data = region.data + offset * inner.stride;
    for (size_t i = region.axes.size() - 1; i-- > 0;) {
      const Axis& axis = region.axes[i];
      first += uint64_t(outer % axis.count * axis.step);
      data += outer % axis.count * axis.stride;
      outer /= axis.count;
    }
    stretch(first, data, n);
    begin += n;
  }
}

int64_t elements(const Region& region) {
  int64_t total = 1;
  for (const auto& axis : region.axes)
    total *= axis.count;
  return total;
}

// Splits the box into chunks and calls chunk(begin, end), in elements of the box, for each.
template <class Chunk>
void in_chunks(const Region& region, const Interrupt& interrupt, int64_t alignment, const Chunk& chunk) {
  const int64_t total = elements(region);
  if (total == 0) return;
  // The first chunk is shortened so that the others begin on a tile.
  const bool flat = region.axes.size() == 1 && region.axes[0].step == 1;
  const int64_t lead = flat ? int64_t(region.first % uint64_t(alignment)) : 0;
  const auto chunks = uint64_t((total + lead + kChunk - 1) / kChunk);
  parallel_chunks(chunks, total < 2 * kChunk, interrupt, [&](uint64_t number) {
    const int64_t begin = int64_t(number) * kChunk - lead;
    chunk(std::max<int64_t>(begin, 0), std::min(begin + kChunk, total));
  });
}

// An output contiguous along another axis than the global tensor: rows of a panel are computed in its order and written in
// the output's, so that a cache line is touched once, not once for each of its elements.
void fill_panels(const Kernels& kernels, const Draw& draw, const Region& region, size_t across,
                 const Interrupt& interrupt) {
  const Axis rows = region.axes[across], columns = region.axes.back();
  const auto size = int64_t(itemsize(draw.dtype));
  const int64_t longest = kRowBytes / size;
  const int64_t groups = (rows.count + kRows - 1) / kRows, segments = (columns.count + longest - 1) / longest;

  Region panels = region;  // its elements are the panels
  panels.axes.erase(panels.axes.begin() + long(across));
  panels.axes.back() = {groups, rows.step * kRows, rows.stride * kRows};
  panels.axes.push_back({segments, columns.step * longest, columns.stride * longest});
  const int64_t count = elements(panels);
  parallel_chunks(uint64_t(count), count == 1, interrupt, [&](uint64_t number) {
    const auto panel = int64_t(number);
    const int64_t height = std::min(kRows, rows.count - panel / segments % groups * kRows);
    const int64_t width = std::min(longest, columns.count - panel % segments * longest);
    walk(panels, panel, panel + 1, [&](uint64_t first, char* data, int64_t) {
      alignas(64) char scratch[kRows * kRowBytes];
      for (int64_t i = 0; i < height; ++i)
        kernels.run(draw, first + uint64_t(i * rows.step), uint64_t(width), scratch + i * kRowBytes);
      for (int64_t j = 0; j < width; ++j)
        scatter(size_t(size), scratch + j * size, kRowBytes, data + j * columns.stride, rows.stride, height);
    });
  });
}

}  // namespace

void fill(const Draw& draw, Region region, const Interrupt& interrupt) {
  const Kernels& kernels = active_kernels();
  simplify(region);
  const Axis inner = region.axes.back();
  const bool runs = inner.step <= kSparse && inner.count * inner.step >= kShortRun;
  const auto size = int64_t(itemsize(draw.dtype));
  if (inner.step == 1 && inner.count >= kShortRun && inner.stride != size) {
    for (size_t i = 0; i + 1 < region.axes.size(); ++i)
      if (region.axes[i].stride == size) return fill_panels(kernels, draw, region, i, interrupt);
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

Moments moments(Dtype dtype, const void* data, uint64_t count, const Interrupt& interrupt) {
  const Kernels& kernels = active_kernels();
  const double infinity = __builtin_huge_val();
  Moments first{0, 0, 0, 0, infinity, -infinity};
  if (count == 0) return first;
  kernels.moments(dtype, data, 1, first);
  const Moments start{0, first.minimum, 0, 0, infinity, -infinity};
  const uint64_t chunks = (count + kChunk - 1) / kChunk;
  std::vector<Moments> parts(chunks, start);  // added in order: the sum does not depend on the threads
  parallel_chunks(chunks, chunks < 4, interrupt, [&](uint64_t chunk) {
    const uint64_t begin = chunk * kChunk, n = std::min<uint64_t>(kChunk, count - begin);
    kernels.moments(dtype, static_cast<const char*>(data) + begin * itemsize(dtype), n, parts[chunk]);
  });
  Moments all = start;
  for (const auto& part : parts) {
    all.count += part.count, all.sum += part.sum, all.square += part.square;
    all.minimum = std::min(all.minimum, part.minimum);
    all.maximum = std::max(all.maximum, part.maximum);
  }
  return all;
}

}  // namespace fanin
