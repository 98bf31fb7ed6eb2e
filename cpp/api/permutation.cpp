#include "cpu/permutation.hpp"
#include "api/call.hpp"
#include "api/refuse.hpp"

namespace fanin {
namespace {

constexpr int64_t kLongest = int64_t(1) << 28;  // such a line takes 5 GiB
constexpr uint8_t kTagMask = 4;

}  // namespace

void permutation(const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  if (part.shape.empty()) refuse("shape must have at least 1 dimension, of which the last is permuted, got ()");
  if (part.shape.back() > kLongest)
    refuse("shape must have a last axis of at most 2^28 elements, got ", part.shape.back());
  if (!call.has_elements()) return;
  call.require_gpu_kernel("permutation");

  std::vector<Taken> axes = call.taken();
  const Taken along = axes.back();
  axes.pop_back();
  Region lines{0, call.data(), {}};
  int64_t step = 1;
  for (size_t i = axes.size(); i-- > 0; step *= axes[i].size) {
    lines.first += uint64_t(axes[i].start * step);
    lines.axes.push_back({axes[i].count, axes[i].step * step, axes[i].stride});
  }
  std::reverse(lines.axes.begin(), lines.axes.end());
  if (lines.axes.empty()) lines.axes.push_back({1, 0, 0});
  Draw words = call.draw(Distribution::bits);
  words.dtype = Dtype::uint32, words.id = call.stream(kTagMask);
  cpu::permutation(words, lines, along, part.dtype, interrupt);
}

}  // namespace fanin
