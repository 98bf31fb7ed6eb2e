#include "cpu/orthogonal.hpp"

#include <algorithm>

#include "api/limits.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "tensor/pitch.hpp"

namespace fanin {
namespace {

constexpr uint8_t kTagSingle = 2, kTagDouble = 3;  // of reflector streams

// The axes of one side of a matrix, flattened in C order.
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

std::vector<cpu::OrthogonalVector> vectors_of(const cpu::Coordinates& side, char* data) {
  std::vector<cpu::OrthogonalVector> vectors{{side.first, data}};
  for (const Axis& axis : side.axes) {
    std::vector<cpu::OrthogonalVector> next;
    next.reserve(vectors.size() * size_t(axis.count));
    for (const auto& v : vectors)
      for (int64_t i = 0; i < axis.count; ++i)
        next.push_back({v.number + i * axis.step, v.data + i * axis.stride});
    vectors.swap(next);
  }
  return vectors;
}

// Matrices, one after another in the reflector stream.
struct Matrices {
  std::vector<cpu::OrthogonalMatrix> all;
  std::vector<cpu::Coordinates> where;

  // An `outs` × `ins` matrix whose sides take these axes; the data pointer is that of the part's first element.
  void add(uint64_t first, int64_t outs, int64_t ins, const std::vector<Taken>& out_side,
           const std::vector<Taken>& in_side, char* data) {
    const auto empty = [](const std::vector<Taken>& side) {
      return std::any_of(side.begin(), side.end(), [](const Taken& t) { return t.count == 0; });
    };
    if (empty(out_side) || empty(in_side)) return;
    const bool rows = outs <= ins;
    const cpu::Coordinates vectors = flatten(rows ? out_side : in_side);
    all.push_back({first, std::min(outs, ins), std::max(outs, ins), vectors_of(vectors, data)});
    where.push_back(flatten(rows ? in_side : out_side));
  }
};

uint64_t stream_elements(int64_t outs, int64_t ins) {
  return uint64_t(std::min(outs, ins)) * uint64_t(line_pitch(std::max(outs, ins)));
}

cpu::OrthogonalDraw make_draw(double gain, const Part& part) {
  return {part.seed, stream_id(part.name, is_wide(part.dtype) ? kTagDouble : kTagSingle), part.dtype, gain};
}

// An entry may exceed 1 by rounding.
void require_gain(double gain, Dtype dtype) { require_value("gain", gain, dtype, 1.001); }

}  // namespace

void orthogonal(double gain, Layout layout, const std::vector<int64_t>& blocks, const Part& part, const Output& out,
                const Interrupt& interrupt) {
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  if (part.shape.size() < 2) refuse("shape must have at least 2 dimensions, out and in, got ", part.shape.size());
  const std::vector<int64_t> shape = result_shape(part);
  const size_t out_axis = layout == Layout::out_first ? 0 : part.shape.size() - 1;
  int64_t sum = 0, ins = 1;
  for (const int64_t b : blocks) {
    if (b < 0) refuse("blocks must not be negative, got ", b);
    if (__builtin_add_overflow(sum, b, &sum)) sum = -1;
    if (sum < 0) break;
  }
  if (!blocks.empty() && sum != part.shape[out_axis])
    refuse("blocks must add up to the ", part.shape[out_axis], " outputs of shape, got a sum of ", sum);
  if (is_empty(shape)) return;
  require_kernel(out, "orthogonal");
  check_output(part, out, shape);

  std::vector<Taken> in_side = taken(part, out);
  const Taken outputs = in_side[out_axis];
  in_side.erase(in_side.begin() + long(out_axis));
  for (const auto& axis : in_side)
    ins *= axis.size;

  Matrices matrices;
  uint64_t first = 0;
  int64_t begin = 0;
  for (const int64_t size : blocks.empty() ? std::vector<int64_t>{part.shape[out_axis]} : blocks) {
    // The entries start + i·step, i < count, that lie in [begin, begin + size).
    const int64_t step = std::abs(outputs.step);
    const int64_t lowest = outputs.step > 0 ? outputs.start : outputs.start + outputs.step * (outputs.count - 1);
    const auto index_of = [&](int64_t row) {  // of the first entry from `row` up, in ascending order
      return std::min(outputs.count, row <= lowest ? 0 : (row - lowest + step - 1) / step);
    };
    const int64_t low = index_of(begin), high = index_of(begin + size);
    const int64_t offset = outputs.step > 0 ? low : outputs.count - high;
    const Taken inside{outputs.start + offset * outputs.step - begin, outputs.step, high - low, outputs.stride, size};
    if (high > low) {
      // Its own first entry stands at `offset`; the data pointer follows.
      char* const data = static_cast<char*>(out.data) + offset * outputs.stride;
      matrices.add(first, size, ins, {inside}, in_side, data);
    }
    first += stream_elements(size, ins);
    begin += size;
  }
  cpu::orthogonal(make_draw(gain, part), std::move(matrices.all), matrices.where, interrupt);
}

void haar(double gain, const Part& part, const Output& out, const Interrupt& interrupt) {
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  const size_t rank = part.shape.size();
  if (rank < 2 || part.shape[rank - 1] != part.shape[rank - 2]) refuse("shape must end in two equal axes");
  const std::vector<int64_t> shape = result_shape(part);
  if (is_empty(shape)) return;
  require_kernel(out, "haar");
  check_output(part, out, shape);
  std::vector<Taken> batch = taken(part, out);
  const int64_t n = part.shape[rank - 1];
  const Taken rows = batch[rank - 2], columns = batch[rank - 1];
  batch.resize(rank - 2);
  Matrices matrices;
  for (const auto& m : vectors_of(flatten(batch), static_cast<char*>(out.data)))
    matrices.add(uint64_t(m.number) * stream_elements(n, n), n, n, {rows}, {columns}, m.data);
  cpu::orthogonal(make_draw(gain, part), std::move(matrices.all), matrices.where, interrupt);
}

void delta_orthogonal(double gain, Layout layout, const Part& part, const Output& out, const Interrupt& interrupt) {
  require_float(part.dtype);
  require_gain(gain, part.dtype);
  const size_t rank = part.shape.size();
  if (rank < 3 || rank > 5)
    refuse("shape must have 3 to 5 dimensions, those of a 1-, 2- or 3-D convolution, got ", rank);
  const bool first = layout == Layout::out_first;
  const int64_t outs = part.shape[first ? 0 : rank - 1], ins = part.shape[first ? 1 : rank - 2];
  if (ins > outs) refuse("shape must have no more inputs than outputs, got ", ins, " inputs and ", outs, " outputs");
  const std::vector<int64_t> shape = result_shape(part);
  if (is_empty(shape)) return;
  require_kernel(out, "delta_orthogonal");
  constant(0, part, out, interrupt);

  const std::vector<Taken> axes = taken(part, out);
  char* const data = centre_of(axes, layout, out);
  if (!data) return;
  const Taken out_side = axes[first ? 0 : rank - 1], in_side = axes[first ? 1 : rank - 2];
  Matrices matrices;
  matrices.add(0, outs, ins, {out_side}, {in_side}, data);
  cpu::orthogonal(make_draw(gain, part), std::move(matrices.all), matrices.where, interrupt);
}

}  // namespace fanin
