#include "cpu/structured.hpp"

#include "cpu/dispatch.hpp"
#include "cpu/store.hpp"

namespace fanin::cpu {
void fill_broadcast(const std::vector<uint64_t>& patterns, int64_t axis_step, bool along, size_t itemsize,
                    const Region& region, const Interrupt& interrupt) {
  const Axis inner = region.axes.back();
  const auto size = uint64_t(patterns.size());
  in_chunks(region, interrupt, 1, [&](int64_t begin, int64_t end) {
    walk(region, begin, end, [&](uint64_t first, char* data, int64_t n) {
      const uint64_t* const pattern = &patterns[first / uint64_t(axis_step) % size];
      const int64_t apart = along ? inner.step / axis_step * int64_t(sizeof *pattern) : 0;
      scatter(itemsize, reinterpret_cast<const char*>(pattern), apart, data, inner.stride, n);
    });
  });
}

void fill_diagonals(const std::vector<Diagonal>& diagonals, uint64_t pattern, size_t itemsize,
                    const Interrupt& interrupt) {
  const int64_t count = diagonals.empty() ? 0 : diagonals[0].outs.count;  // of each
  const Region ones{0, nullptr, {{int64_t(diagonals.size()), count, 0}, {count, 1, 0}}};
  in_chunks(ones, interrupt, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      if (char* const place = diagonals[size_t(i / count)].at(i % count))
        memcpy(place, &pattern, itemsize);  // every target is little-endian
  });
}

void fill_sinusoid(const SinusoidTable& table, Dtype dtype, char* data, const Interrupt& interrupt) {
  const SchemeKernels& kernels = *active_kernels().schemes;
  const Axis positions = table.positions, columns = table.columns;
  const int64_t row = columns.count;
  in_chunks({0, data, {{positions.count, 0, 0}, {row, 0, 0}}}, interrupt, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n; begin < end; begin += n) {
      const int64_t r = begin / row, c = begin % row;
      n = std::min({kBlock, row - c, end - begin});
      alignas(64) double values[kBlock];
      kernels.sinusoid(double(table.first + r * positions.step), &table.high[size_t(c)], &table.low[size_t(c)],
                       &table.quarter[size_t(c)], n, values);
      store(kernels, dtype, values, n, data + r * positions.stride + c * columns.stride, columns.stride);
    }
  });
}

void fill_step_bias(const Draw& uniform, const StepBias& bias, Dtype dtype, Region region, const Interrupt& interrupt) {
  const Kernels& kernels = active_kernels();
  simplify(region);
  const Axis inner = region.axes.back();
  in_chunks(region, interrupt, int64_t(tile_elements(dtype)), [&](int64_t begin, int64_t end) {
    walk(region, begin, end, [&](uint64_t first, char* data, int64_t count) {
      for (int64_t n; count > 0; first += uint64_t(n * inner.step), data += n * inner.stride, count -= n) {
        n = std::min(kBlock, count);
        alignas(64) double values[kBlock] = {};
        alignas(64) float narrow[kBlock];
        const bool wide = is_wide(uniform.dtype);
        void* const drawn = wide ? static_cast<void*>(values) : narrow;
        if (inner.step == 1) {
          kernels.run(uniform, first, uint64_t(n), drawn);
        } else {
          uint64_t index[kBlock];
          for (int64_t i = 0; i < n; ++i)
            index[i] = first + uint64_t(i * inner.step);
          kernels.gather(uniform, index, uint64_t(n), drawn);
        }
        if (!wide) std::copy_n(narrow, n, values);
        kernels.schemes->step_bias(bias, n, values);
        store(*kernels.schemes, dtype, values, n, data, inner.stride);
      }
    });
  });
}

}  // namespace fanin::cpu
