#include "tensor/overlap.hpp"

#include <algorithm>
#include <cstdlib>

namespace fanin {
namespace {

struct Step {
  int64_t stride, count;  // both are positive, and count exceeds 1
  int64_t below;          // bytes that the axes of smaller strides span between their first and last elements
};

// Looks for two elements that are less than an item apart, by the differences d of their coordinates, not all 0: |Σ
// stride·d| must be less than the item size. From the largest stride down it tries only those d that the smaller
// strides can make up for.
class Search {
 public:
  Search(const std::vector<Step>& axes, int64_t itemsize) : axes_(axes), itemsize_(itemsize) {}

  // `apart` is Σ stride·d of the axes before, and `same` says whether all of these d are 0.
  bool found(size_t axis, int64_t apart, bool same) {
    if (axis == axes_.size()) return !same && std::abs(apart) < itemsize_;
    if (--left_ < 0) return true;
    const auto [stride, count, below] = axes_[axis];
    const int64_t reach = below + itemsize_ - 1;  // the rest can make up for |apart + stride·d| up to this
    int64_t low = std::max(-(count - 1), -floor_divide(apart + reach, stride));
    const int64_t high = std::min(count - 1, floor_divide(reach - apart, stride));
    if (same) low = std::max<int64_t>(low, 0);  // d and -d are the same two elements
    for (int64_t d = low; d <= high; ++d)
      if (found(axis + 1, apart + stride * d, same && d == 0)) return true;
    return false;
  }

 private:
  static int64_t floor_divide(int64_t n, int64_t by) { return n >= 0 ? n / by : -((by - 1 - n) / by); }

  const std::vector<Step>& axes_;
  const int64_t itemsize_;
  int64_t left_ = 1 << 20;
};

}  // namespace

bool overlaps(const std::vector<int64_t>& shape, const std::vector<int64_t>& strides, int64_t itemsize) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return false;
  std::vector<Step> axes;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (strides[i] == INT64_MIN) return true;
    axes.push_back({std::abs(strides[i]), shape[i], 0});
  }
  std::sort(axes.begin(), axes.end(), [](const Step& a, const Step& b) { return a.stride < b.stride; });
  // The limit is a quarter of 2^63, so that no sum or difference of two spans overflows.
  constexpr int64_t kMost = int64_t(1) << 61;
  int64_t span = 0;
  bool nested = true;  // whether each axis steps over all that the smaller strides span, as in most arrays
  for (Step& axis : axes) {
    if (axis.stride < itemsize) return true;
    nested = nested && axis.stride >= span + itemsize;
    axis.below = span;
    int64_t own;
    if (__builtin_mul_overflow(axis.stride, axis.count - 1, &own) || own > kMost - span) return true;
    span += own;
  }
  if (nested) return false;
  std::reverse(axes.begin(), axes.end());
  return Search(axes, itemsize).found(0, 0, true);
}

}  // namespace fanin
