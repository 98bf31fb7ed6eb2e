#include "cpu/sparse.hpp"

#include "api/call.hpp"
#include "api/layout.hpp"
#include "api/refuse.hpp"
#include "cpu/parallel.hpp"

namespace fanin {
namespace {

constexpr uint8_t kTagMask = 4;
constexpr int64_t kLongest = int64_t(1) << 32;  // line: a word is drawn for each of its positions

// Describes the part as a matrix of lines by positions, with all axes turned forward.
cpu::SparsePart make_part(const Call& call, const Axes& axes, bool per_output) {
  const std::vector<int64_t>& shape = call.shape();
  std::vector<int64_t> apart(shape.size());
  std::vector<bool> of_lines(shape.size(), false);
  const auto number = [&](AxisSet side, bool lines, int64_t step) {
    for (size_t i = apart.size(); i-- > 0;)
      if (side >> i & 1) apart[i] = step, of_lines[i] = lines, step *= shape[i];
  };
  number(axes.outs, per_output, 1), number(axes.columns(), !per_output, 1);
  number(axes.batch, true, size_of(per_output ? axes.outs : axes.columns(), shape));

  cpu::SparsePart result{0, call.data(), {}, 0, 0, true};
  const std::vector<Taken> all = call.taken();
  int64_t flat = 1;
  for (size_t i = all.size(); i-- > 0; flat *= all[i].size) {
    const Taken& axis = all[i];
    const bool forward = axis.step > 0;
    const int64_t step = axis.count == 1 ? 0 : std::abs(axis.step);
    const int64_t lowest = forward ? axis.start : axis.start + (axis.count - 1) * axis.step;
    result.first += uint64_t(lowest * flat);
    if (!forward) result.data += (axis.count - 1) * axis.stride;
    (of_lines[i] ? result.first_line : result.first_position) += uint64_t(lowest * apart[i]);
    result.axes.push_back(
        {axis.count, step * flat, forward ? axis.stride : -axis.stride, of_lines[i], step * apart[i]});
  }
  std::reverse(result.axes.begin(), result.axes.end());
  return result;
}

// Draws axis by axis where those of lines and of positions alternate: the shortest axis of lines is walked first, so
// that each line is chosen once.
void in_order(const cpu::SparseDraw& draw, cpu::SparsePart part, const Interrupt& interrupt) {
  int changes = 0;
  const cpu::SparseAxis* before = nullptr;
  cpu::SparseAxis* shortest = nullptr;
  for (cpu::SparseAxis& axis : part.axes) {
    if (axis.count == 1) continue;
    if (!before) part.lines_outer = axis.of_lines;
    if (before && before->of_lines != axis.of_lines) ++changes;
    if (axis.of_lines && (!shortest || axis.count < shortest->count)) shortest = &axis;
    before = &axis;
  }
  if (changes < 2) return cpu::sparse(draw, part, interrupt);
  const cpu::SparseAxis axis = *shortest;
  shortest->count = 1;
  cpu::parallel_chunks(uint64_t(axis.count), true, interrupt, [&](uint64_t i) {
    cpu::SparsePart one = part;
    one.first += i * uint64_t(axis.step), one.data += int64_t(i) * axis.stride;
    one.first_line += i * uint64_t(axis.number);
    in_order(draw, one, interrupt);
  });
}

}  // namespace

void sparse(double deviation, int64_t nonzeros, bool per_output, std::string_view layout, const Part& part,
            const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  const Draw values = call.normal_draw(0, deviation);
  const Axes axes = axes_of(layout, part.shape.size());
  const bool some = call.has_elements();

  const int64_t length = size_of(per_output ? axes.columns() : axes.outs, part.shape);
  if (nonzeros < 0 || (!is_empty(part.shape) && nonzeros > length))
    refuse("nonzeros must be between 0 and ", length, ", the ", per_output ? "weights into an output" : "outputs",
           ", got ", nonzeros);
  if (!some) return;
  call.require_gpu_kernel("sparse");
  if (nonzeros == 0) return call.fill(0);
  if (nonzeros == length) return call.fill(values);
  if (length > kLongest)
    refuse("shape must have at most 2^32 ", per_output ? "weights into an output" : "outputs", ", got ", length);
  in_order({values, call.stream(kTagMask), length, nonzeros}, make_part(call, axes, per_output), interrupt);
}

}  // namespace fanin
