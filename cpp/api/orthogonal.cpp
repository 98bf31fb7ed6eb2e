#include "cpu/orthogonal.hpp"

#include <algorithm>
#include <tuple>

#include "api/call.hpp"
#include "api/layout.hpp"
#include "api/limits.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "tensor/pitch.hpp"

namespace fanin {
namespace {

constexpr uint8_t kTagSingle = 2, kTagDouble = 3;  // the tags of the reflector streams

// Flattens the axes of one side of a matrix in C order.
cpu::Coordinates flatten(const std::vector<Taken>& axes) {
  cpu::Coordinates side{0, {}};
  int64_t step = 1;
  for (size_t i = axes.size(); i-- > 0; step *= axes[i].size) {
    side.first += axes[i].start * step;
    if (axes[i].count == 1) continue;
    const Axis axis{axes[i].count, axes[i].step * step, axes[i].stride};
    Axis* const inner = side.axes.empty() ? nullptr : &side.axes.back();
    if (inner && continues(axis, *inner))
      inner->count *= axis.count;
    else
      side.axes.push_back(axis);
  }
  if (side.axes.empty()) side.axes.push_back({1, 1, 0});
  std::reverse(side.axes.begin(), side.axes.end());
  return side;
}

// Collects matrices, which follow one another in the reflector stream.
struct Matrices {
  std::vector<cpu::OrthogonalMatrix> all;
  std::vector<cpu::Coordinates> where;

  // Adds an `outs` × `ins` matrix whose sides take these axes. `data` points to the part's first element of it.
  void add(uint64_t first, int64_t outs, int64_t ins, const std::vector<Taken>& out_side,
           const std::vector<Taken>& in_side, char* data) {
    const auto empty = [](const std::vector<Taken>& side) {
      return std::any_of(side.begin(), side.end(), [](const Taken& t) { return t.count == 0; });
    };
    if (empty(out_side) || empty(in_side)) return;
    const bool rows = outs <= ins;
    all.push_back({first, std::min(outs, ins), std::max(outs, ins), places_of(rows ? out_side : in_side, data)});
    where.push_back(flatten(rows ? in_side : out_side));
  }
};

uint64_t stream_elements(int64_t outs, int64_t ins) {
  return uint64_t(std::min(outs, ins)) * uint64_t(line_pitch(std::max(outs, ins)));
}

cpu::OrthogonalDraw make_draw(double gain, const Call& call) {
  return {call.seed(), call.stream(is_wide(call.dtype()) ? kTagDouble : kTagSingle), call.dtype(), gain, false};
}

// Rounding may make an entry exceed 1.
void require_gain(double gain, Dtype dtype) { require_value("gain", gain, dtype, 1.001); }

// Returns which outputs a part takes of the block that begins at output `begin`, and where the first of them lies.
std::pair<Taken, char*> outputs_of(const Taken& outputs, int64_t begin, int64_t size, char* data) {
  // They are the entries start + i·step, i < count, that lie in [begin, begin + size).
  const int64_t step = std::abs(outputs.step);
  const int64_t lowest = outputs.step > 0 ? outputs.start : outputs.start + outputs.step * (outputs.count - 1);
  const auto index_of = [&](int64_t row) {  // counts the entries below `row`
    return std::min(outputs.count, row <= lowest ? 0 : (row - lowest + step - 1) / step);
  };
  const int64_t low = index_of(begin), high = index_of(begin + size);
  const int64_t offset = outputs.step > 0 ? low : outputs.count - high;
  return {{outputs.start + offset * outputs.step - begin, outputs.step, high - low, outputs.stride, size},
          data + offset * outputs.stride};
}

void require_sum(const std::vector<int64_t>& blocks, int64_t outs) {
  int64_t sum = 0;
  for (const int64_t b : blocks) {
    if (b < 0) refuse("blocks must not be negative, got ", b);
    if (__builtin_add_overflow(sum, b, &sum)) sum = -1;
    if (sum < 0) break;
  }
  if (sum != outs) refuse("blocks must add up to the ", outs, " outputs of shape, got a sum of ", sum);
}

}  // namespace

void orthogonal(double gain, std::string_view layout, const std::vector<int64_t>& blocks, const Part& part,
                const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  const Axes axes = axes_of(layout, part.shape.size());
  const bool some = call.has_elements();
  const int64_t outs = of_axes(axes.outs, part.shape)[0];
  if (!blocks.empty()) require_sum(blocks, outs);
  if (!some) return;
  call.require_gpu_kernel("orthogonal");

  const std::vector<Taken> all = call.taken(), in_side = of_axes(axes.columns(), all);
  std::vector<Taken> out_side = of_axes(axes.outs, all);
  const Taken outputs = out_side[0];
  const int64_t each = size_of(axes.outs, part.shape) / outs, ins = size_of(axes.columns(), part.shape);
  const std::vector<int64_t> sizes = blocks.empty() ? std::vector<int64_t>{outs} : blocks;
  uint64_t elements = 0;  // in the reflector stream of one index of the batch
  for (const int64_t size : sizes)
    elements += stream_elements(size * each, ins);

  Matrices matrices;
  for (const auto& batch : places_of(of_axes(axes.batch, all), call.data())) {
    uint64_t first = uint64_t(batch.number) * elements;
    int64_t begin = 0;
    for (const int64_t size : sizes) {
      char* data;
      std::tie(out_side[0], data) = outputs_of(outputs, begin, size, batch.data);
      matrices.add(first, size * each, ins, out_side, in_side, data);
      first += stream_elements(size * each, ins);
      begin += size;
    }
  }
  cpu::orthogonal(make_draw(gain, call), std::move(matrices.all), matrices.where, interrupt);
}

void haar(double gain, bool special, const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  const size_t rank = part.shape.size();
  if (rank < 2 || part.shape[rank - 1] != part.shape[rank - 2]) refuse("shape must end in two equal axes");
  if (!call.has_elements()) return;
  call.require_gpu_kernel("haar");
  std::vector<Taken> batch = call.taken();
  const int64_t n = part.shape[rank - 1];
  const Taken rows = batch[rank - 2], columns = batch[rank - 1];
  batch.resize(rank - 2);
  Matrices matrices;
  for (const auto& m : places_of(batch, call.data()))
    matrices.add(uint64_t(m.number) * stream_elements(n, n), n, n, {rows}, {columns}, m.data);
  cpu::OrthogonalDraw draw = make_draw(gain, call);
  draw.special = special;
  cpu::orthogonal(draw, std::move(matrices.all), matrices.where, interrupt);
}

void delta_orthogonal(double gain, std::string_view layout, const Part& part, const Output& out,
                      const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  const size_t rank = part.shape.size();
  const Axes axes = axes_of(layout, rank);
  const size_t spatial = of_axes(axes.spatial, part.shape).size();
  if (spatial < 1 || spatial > 3)
    refuse("shape must have 1 to 3 spatial axes, as a 1-, 2- or 3-D convolution has, got ", spatial);
  const bool some = call.has_elements();
  const int64_t outs = size_of(axes.outs, part.shape), ins = size_of(axes.ins, part.shape);
  if (ins > outs) refuse("shape must have no more inputs than outputs, got ", ins, " inputs and ", outs, " outputs");
  if (!some) return;
  call.require_gpu_kernel("delta_orthogonal");
  call.fill(0);

  const std::vector<Taken> all = call.taken();
  char* const data = centre_of(of_axes(axes.spatial, all), call.data());
  if (!data) return;
  Matrices matrices;
  for (const auto& m : places_of(of_axes(axes.batch, all), data))
    matrices.add(uint64_t(m.number) * stream_elements(outs, ins), outs, ins, of_axes(axes.outs, all),
                 of_axes(axes.ins, all), m.data);
  cpu::orthogonal(make_draw(gain, call), std::move(matrices.all), matrices.where, interrupt);
}

}  // namespace fanin
