#include "cpu/permutation.hpp"
#include "api/place.hpp"
#include "core/fp_environment.hpp"

namespace fanin {
namespace {

constexpr int64_t kLongest = int64_t(1) << 28;  // which takes 5 GiB
constexpr uint8_t kTagMask = 4;

}  // namespace

void permutation(const Part& part, const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  require_float(part.dtype);
  if (part.shape.empty()) refuse("shape must have at least 1 dimension, of which the last is permuted, got ()");
  if (part.shape.back() > kLongest)
    refuse("shape must have a last axis of at most 2^28 elements, got ", part.shape.back());
  const std::vector<int64_t> shape = result_shape(part);
  if (is_empty(shape)) return;
  check_output(part, out, shape);
  require_kernel(out, "permutation");

  std::vector<Taken> axes = taken(part, out);
  const Taken along = axes.back();
  axes.pop_back();
  Region lines{0, static_cast<char*>(out.data), {}};
  int64_t step = 1;
  for (size_t i = axes.size(); i-- > 0; step *= axes[i].size) {
    lines.first += uint64_t(axes[i].start * step);
    lines.axes.push_back({axes[i].count, axes[i].step * step, axes[i].stride});
  }
  std::reverse(lines.axes.begin(), lines.axes.end());
  if (lines.axes.empty()) lines.axes.push_back({1, 0, 0});
  Draw words = make_draw(Distribution::bits, part);
  words.dtype = Dtype::uint32, words.id = stream_id(part.name, kTagMask);
  cpu::permutation(words, lines, along, part.dtype, interrupt);
}

}  // namespace fanin
