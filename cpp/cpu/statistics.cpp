#include "cpu/statistics.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "cpu/dispatch.hpp"
#include "tensor/with_dtype.hpp"

namespace fanin::cpu {
namespace {

constexpr int64_t kBlock = 2048;  // elements are read for sums, then for the hash: they stay in the nearest cache
constexpr int64_t kBlocks = kChunk / kBlock;

// Describes some elements. The mean of the finite ones is pivot + shift: with a pivot near them a large mean costs no
// digits.
struct Part {
  uint64_t finite = 0, nans = 0, infinities = 0, zeros = 0, hash = 0;
  double pivot = 0, shift = 0;
  double squares = 0;  // sum of squared deviations from the mean
  double minimum = 0, maximum = 0;
};

// Collects the finite elements in order, and counts the others.
template <class T>
uint64_t keep_finite(T infinity, const void* data, int64_t count, void* kept, Part& part) {
  const auto* const from = static_cast<const char*>(data);
  auto* to = static_cast<char*>(kept);
  for (int64_t i = 0; i < count; ++i) {
    T bits;
    memcpy(&bits, from + i * int64_t(sizeof bits), sizeof bits);
    const T magnitude = bits & T(~T(0)) >> 1;
    if (magnitude > infinity) {
      ++part.nans;
    } else if (magnitude == infinity) {
      ++part.infinities;
    } else {
      memcpy(to, &bits, sizeof bits);
      to += sizeof bits;
    }
  }
  return uint64_t(count) - part.nans - part.infinities;
}

// These are the bits of infinity; those of a NaN are greater.
template <Dtype>
constexpr auto kInfinity = nullptr;
template <>
constexpr uint32_t kInfinity<Dtype::float32> = 0x7f800000;
template <>
constexpr uint64_t kInfinity<Dtype::float64> = 0x7ff0000000000000;
template <>
constexpr uint16_t kInfinity<Dtype::float16> = 0x7c00;
template <>
constexpr uint16_t kInfinity<Dtype::bfloat16> = 0x7f80;

uint64_t keep_finite(Dtype dtype, const void* data, int64_t count, void* kept, Part& part) {
  return with_float(dtype, [&](auto d) { return keep_finite(kInfinity<d.value>, data, count, kept, part); });
}

// Describes 1 … kBlock contiguous elements.
Part part_of(const Kernels& kernels, Dtype dtype, const void* data, int64_t count) {
  Part part;
  alignas(64) char kept[kBlock * sizeof(double)];
  part.hash = kernels.hash(data, uint64_t(count) * itemsize(dtype));
  part.finite = uint64_t(count);
  Moments m = kernels.moments(dtype, data, part.finite, 0);
  if (!std::isfinite(m.square)) {
    part.finite = keep_finite(dtype, data, count, kept, part);
    if (part.finite == 0) return part;
    data = kept;
    m = kernels.moments(dtype, data, part.finite, 0);
  }
  const auto n = double(part.finite);
  if (m.sum * m.sum > 0.5 * n * m.square) {  // |mean| > std would cost digits: compute again, about the mean
    part.pivot = m.minimum == m.maximum ? m.minimum : m.sum / n;  // equal values have exactly no deviation
    m = kernels.moments(dtype, data, part.finite, part.pivot);
  }
  part.zeros = m.zeros;
  part.shift = m.sum / n;
  part.squares = std::isfinite(m.square) ? std::max(m.square - m.sum * part.shift, 0.0) : m.square;
  part.minimum = m.minimum, part.maximum = m.maximum;
  return part;
}

uint64_t mix(uint64_t x) {  // the finalizer of SplitMix64
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

// Merges several parts in order, by the pairwise formula of Chan, Golub and LeVeque (1979) for all of them at once.
Part merged(const Part* begin, const Part* end) {
  Part all;
  for (const Part* p = begin; p != end; ++p) {
    all.nans += p->nans, all.infinities += p->infinities, all.zeros += p->zeros;
    all.hash = mix(all.hash ^ p->hash);
    if (p->finite == 0) continue;
    if (all.finite == 0) all.pivot = p->pivot, all.minimum = p->minimum, all.maximum = p->maximum;
    all.finite += p->finite;
    all.minimum = std::min(all.minimum, p->minimum), all.maximum = std::max(all.maximum, p->maximum);
  }
  const auto mean = [&](const Part& p) { return (p.pivot - all.pivot) + p.shift; };  // relative to the pivot
  for (const Part* p = begin; p != end; ++p)
    if (p->finite != 0) all.shift += mean(*p) * (double(p->finite) / double(all.finite));
  for (const Part* p = begin; p != end; ++p) {
    const double difference = mean(*p) - all.shift;
    if (p->finite != 0) all.squares += p->squares + double(p->finite) * (difference * difference);
  }
  return all;
}

// Describes all elements times a power of two, which is 1 unless squares of float64 would leave its range.
Part measured(Dtype dtype, const Region& region, double scale, const Interrupt& interrupt) {
  const Kernels& kernels = active_kernels();
  const auto size = int64_t(itemsize(dtype));
  const bool contiguous = region.axes.size() == 1 && region.axes[0].stride == size;
  const int64_t total = elements(region), chunks = (total + kChunk - 1) / kChunk;
  std::vector<Part> parts(size_t(chunks), Part{});
  parallel_chunks(uint64_t(chunks), chunks < 2, interrupt, [&](uint64_t chunk) {
    const int64_t begin = int64_t(chunk) * kChunk, end = std::min(begin + kChunk, total);
    Part blocks[kBlocks];
    Part* next = blocks;
    for (int64_t b = begin, n; b < end; b += n) {
      n = std::min(kBlock, end - b);
      if (contiguous && scale == 1) {
        *next++ = part_of(kernels, dtype, region.data + b * size, n);
        continue;
      }
      alignas(64) double gathered[kBlock];
      auto* to = reinterpret_cast<char*>(gathered);
      walk(region, b, b + n, [&](uint64_t, const char* data, int64_t count) {
        scatter(size_t(size), data, region.axes.back().stride, to, size, count);
        to += count * size;
      });
      for (int64_t i = 0; scale != 1 && i < n; ++i)
        gathered[i] *= scale;
      *next++ = part_of(kernels, dtype, gathered, n);
    }
    parts[chunk] = merged(blocks, next);
  });
  return merged(parts.data(), parts.data() + chunks);
}

}  // namespace

Statistics statistics(Dtype dtype, Region region, const Interrupt& interrupt) {
  simplify(region);
  const Part all = measured(dtype, region, 1, interrupt);
  Statistics s;
  s.count = uint64_t(elements(region));
  s.finite = all.finite, s.nans = all.nans, s.infinities = all.infinities, s.zeros = all.zeros;
  s.hash = all.hash;
  if (all.finite == 0) {
    s.mean = s.deviation = s.minimum = s.maximum = std::numeric_limits<double>::quiet_NaN();
    return s;
  }
  // The sign of a zero is dropped, since it depends on the instruction set if there are zeros of both signs.
  s.minimum = all.minimum + 0.0;
  s.maximum = all.maximum + 0.0;
  s.mean = all.pivot + all.shift;
  s.deviation = std::sqrt(all.squares / double(all.finite));
  const double largest = std::max(-s.minimum, s.maximum);
  if (largest > 0x1p450 || (largest < 0x1p-400 && largest > 0)) {  // squares, or sums of them, would over- or underflow
    const double scale = largest > 1 ? 0x1p-600 : 0x1p600;
    const Part again = measured(dtype, region, scale, interrupt);
    s.mean = std::clamp((again.pivot + again.shift) / scale, s.minimum, s.maximum);
    s.deviation = std::min(std::sqrt(again.squares / double(again.finite)) / scale, largest);
  }
  return s;
}

}  // namespace fanin::cpu
