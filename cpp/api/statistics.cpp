#include <algorithm>

#include "api/fanin.hpp"
#include "api/refuse.hpp"
#include "core/fp_environment.hpp"
#include "cpu/statistics.hpp"

namespace fanin {

Statistics statistics(const Input& input, const Interrupt& interrupt) {
  const FpEnvironment environment;
  require_float(input.dtype);
  const std::vector<int64_t>& shape = input.shape;
  result_shape({0, {}, input.dtype, shape});
  if (!input.strides.empty() && input.strides.size() != shape.size())
    refuse("strides must have one entry for each of the ", shape.size(), " axes, got ", input.strides.size());
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return cpu::statistics(input.dtype, Region{0, nullptr, {{0, 1, 0}}}, interrupt);
  // Regions serve reading and writing; here nothing is written.
  Region region{0, const_cast<char*>(static_cast<const char*>(input.data)), {}};
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0; step *= shape[i]) {
    const int64_t contiguous = step * int64_t(itemsize(input.dtype));
    region.axes.push_back({shape[i], step, input.strides.empty() ? contiguous : input.strides[i]});
  }
  std::reverse(region.axes.begin(), region.axes.end());
  return cpu::statistics(input.dtype, std::move(region), interrupt);
}

}  // namespace fanin
