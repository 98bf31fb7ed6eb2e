#include "cpu/sparse.hpp"

#include "api/fanin.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "core/fp_environment.hpp"

namespace fanin {
namespace {

constexpr uint8_t kTagMask = 4;
constexpr int64_t kLongest = int64_t(1) << 32;  // positions of a line, all of whose words are drawn

// The part as lines by positions; its axes forward.
cpu::SparsePart make_part(const Part& part, const Output& out, size_t out_axis, bool per_output) {
  cpu::SparsePart result{0, static_cast<char*>(out.data), {}, 0, 0, (out_axis == 0) == per_output};
  const std::vector<Taken> axes = taken(part, out);
  int64_t flat = 1, rest = 1;
  for (size_t i = axes.size(); i-- > 0; flat *= axes[i].size) {
    const Taken& axis = axes[i];
    const bool forward = axis.step > 0, of_lines = (i == out_axis) == per_output;
    const int64_t side = i == out_axis ? 1 : rest, step = axis.count == 1 ? 0 : std::abs(axis.step);
    const int64_t lowest = forward ? axis.start : axis.start + (axis.count - 1) * axis.step;
    result.first += uint64_t(lowest * flat);
    if (!forward) result.data += (axis.count - 1) * axis.stride;
    (of_lines ? result.first_line : result.first_position) += uint64_t(lowest * side);
    result.axes.push_back({axis.count, step * flat, forward ? axis.stride : -axis.stride, of_lines, step * side});
    if (i != out_axis) rest *= axis.size;
  }
  std::reverse(result.axes.begin(), result.axes.end());
  return result;
}

}  // namespace

void sparse(double deviation, int64_t nonzeros, bool per_output, Layout layout, const Part& part, const Output& out,
            const Interrupt& interrupt) {
  const FpEnvironment environment;
  const Draw values = make_normal_draw(0, deviation, part);
  const size_t rank = part.shape.size();
  if (rank < 2) refuse("shape must have at least 2 dimensions, out and in, got ", rank);
  Region region;
  const bool some = make_region(part, out, region);

  const size_t out_axis = layout == Layout::out_first ? 0 : rank - 1;
  int64_t length = 1;
  for (size_t i = 0; i < rank; ++i)
    if ((i == out_axis) != per_output) length *= part.shape[i];
  if (nonzeros < 0 || (!is_empty(part.shape) && nonzeros > length))
    refuse("nonzeros must be between 0 and ", length, ", the ", per_output ? "weights into an output" : "outputs",
           ", got ", nonzeros);
  if (!some) return;
  require_kernel(out, "sparse");
  if (nonzeros == 0) return cpu::fill_constant(0, itemsize(part.dtype), std::move(region), interrupt);
  if (nonzeros == length) return cpu::fill(values, std::move(region), interrupt);
  if (length > kLongest)
    refuse("shape must have at most 2^32 ", per_output ? "weights into an output" : "outputs", ", got ", length);
  cpu::sparse({values, stream_id(part.name, kTagMask), length, nonzeros}, make_part(part, out, out_axis, per_output),
              interrupt);
}

}  // namespace fanin
