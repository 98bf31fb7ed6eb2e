#include "api/call.hpp"

#include <cmath>

#include "api/limits.hpp"
#include "api/refuse.hpp"
#include "cpu/fill.hpp"
#include "cuda/backend.hpp"
#include "tensor/overlap.hpp"

namespace fanin {
namespace {

void check_output(const Output& out, const std::vector<int64_t>& shape, size_t itemsize) {
  if (!out.strides.empty() && out.strides.size() != shape.size())
    refuse("out must have a stride for each of the ", shape.size(), " axes, got ", out.strides.size());
  if (!out.strides.empty() && overlaps(shape, out.strides, int64_t(itemsize)))
    refuse("out must not have elements whose memory overlaps");
  if (out.data == nullptr) refuse("out must have memory of its own, got a null pointer");
}

}  // namespace

std::vector<int64_t> result_shape(const Part& part) {
  uint64_t product = 1;
  for (size_t i = 0; i < part.shape.size(); ++i) {
    if (part.shape[i] < 0) refuse("shape must have no negative axis, got ", part.shape[i], " at axis ", i);
    if (part.shape[i] > 0 && __builtin_mul_overflow(product, uint64_t(part.shape[i]), &product)) product = UINT64_MAX;
    if (product > uint64_t(INT64_MAX)) refuse("shape must have fewer than 2^63 elements, even without its empty axes");
  }
  if (part.box.empty()) return part.shape;
  if (part.box.size() != part.shape.size())
    refuse("index must have one entry for each of the ", part.shape.size(), " axes, got ", part.box.size());
  std::vector<int64_t> shape;
  for (size_t i = 0; i < part.box.size(); ++i) {
    const auto& [start, step, count, keep] = part.box[i];
    int64_t last = start;
    const bool counted =
        count < 2 || (!__builtin_mul_overflow(step, count - 1, &last) && !__builtin_add_overflow(start, last, &last));
    if (count < 0 || !counted || (count > 0 && (std::min(start, last) < 0 || std::max(start, last) >= part.shape[i])))
      refuse("index must stay within axis ", i, " of ", part.shape[i], " elements");
    if (keep) shape.push_back(count);
  }
  return shape;
}

void Call::require_gpu_kernel(const char* function) const {
  if (out_.queue && !cuda::has_kernel(function)) throw NotOnGpu(function);
}

bool Call::has_elements() const {
  const std::vector<int64_t> shape = result_shape(part_);
  if (is_empty(shape)) return false;
  check_output(out_, shape, itemsize(part_.dtype));
  return true;
}

bool Call::make_region(Region& region) const {
  if (!has_elements()) return false;
  region = this->region();
  return true;
}

Region Call::region() const {
  Region region{0, data(), {}};
  int64_t step = 1;
  const std::vector<Taken> axes = taken();
  for (size_t i = axes.size(); i-- > 0; step *= axes[i].size) {
    region.first += uint64_t(axes[i].start * step);
    region.axes.push_back({axes[i].count, axes[i].count == 1 ? 0 : axes[i].step * step, axes[i].stride});
  }
  std::reverse(region.axes.begin(), region.axes.end());
  return region;
}

std::vector<Taken> Call::taken() const {
  std::vector<Taken> axes(part_.shape.size());
  auto stride = int64_t(itemsize(part_.dtype));
  size_t kept = out_.strides.size();
  for (size_t i = part_.shape.size(); i-- > 0;) {
    const AxisSlice slice = part_.box.empty() ? AxisSlice{0, 1, part_.shape[i]} : part_.box[i];
    axes[i] = {slice.start, slice.count == 1 ? 1 : slice.step, slice.count, 0, part_.shape[i]};
    if (!slice.keep) continue;
    axes[i].stride = out_.strides.empty() ? stride : out_.strides[--kept];
    stride *= slice.count;
    if (slice.count == 1) axes[i].stride = 0;
  }
  return axes;
}

Draw Call::draw(Distribution distribution) const {
  Draw draw{};
  draw.distribution = distribution;
  draw.dtype = part_.dtype;
  draw.seed = part_.seed;
  draw.id = stream(is_wide(part_.dtype) ? 1 : 0);
  return draw;
}

Draw Call::normal_draw(double mean, double deviation) const {
  require_float(part_.dtype);
  require_finite("mean", mean);
  require_deviation(deviation);
  const double reach = part_.dtype == Dtype::float64 ? 8.58 : 6.77;  // no normal is farther out
  if (!(std::abs(mean) + reach * deviation <= largest(part_.dtype)))
    refuse("mean and std must satisfy |mean| + ", reach, "·std <= ", largest(part_.dtype), ", the largest ",
           name(part_.dtype), "; got mean ", mean, " and std ", deviation);
  Draw normal = draw(Distribution::normal);
  normal.offset = mean, normal.factor = deviation;
  return normal;
}

void Call::fill(const Draw& draw) const {
  Region region;
  if (!make_region(region)) return;
  if (!out_.queue) return cpu::fill(draw, std::move(region), interrupt_);
  if (gpu()) return cuda::backend().fill(draw, region, *gpu());
  if (!cuda::backend().draw_to_host(draw, region, *out_.queue, interrupt_)) throw Interrupted();
}

void Call::fill(double value) const {
  Region region;
  if (!make_region(region)) return;
  if (gpu()) return cuda::backend().fill_constant(value, part_.dtype, region, *gpu());
  cpu::fill_constant(pattern_of(part_.dtype, value), itemsize(part_.dtype), region, interrupt_);
}

}  // namespace fanin
