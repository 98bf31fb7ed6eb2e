#include "cpu/structured.hpp"

#include <cmath>

#include "api/call.hpp"
#include "api/layout.hpp"
#include "api/limits.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "core/exp.hpp"
#include "cuda/backend.hpp"

namespace fanin {
namespace {

constexpr int64_t kMostPositions = int64_t(1) << 53;  // float64 holds every number up to it
constexpr double kLargestStep = 1e300;  // 1/kLargestStep is the least, so that nothing over- or underflows

}  // namespace

void dirac(double gain, int64_t groups, std::string_view layout, const Part& part, const Output& out,
           const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  require_value("gain", gain, part.dtype);
  const Axes axes = axes_of(layout, part.shape.size());
  const bool some = call.has_elements();
  const int64_t outs = size_of(axes.outs, part.shape);
  if (groups < 1 || outs % groups != 0) refuse("groups must divide the ", outs, " outputs of shape, got ", groups);
  if (!some) return;
  call.fill(0);

  // There is a diagonal for every index of the batch, and of all axes of outputs and inputs but the last of each.
  const std::vector<Taken> all = call.taken();
  char* const data = centre_of(of_axes(axes.spatial, all), call.data());
  if (!data) return;
  std::vector<Taken> out_side = of_axes(axes.outs, all), in_side = of_axes(axes.ins, all);
  if (in_side.empty()) in_side.push_back({0, 1, 1, 0, 1});
  const Taken output = out_side.back(), input = in_side.back();
  out_side.pop_back(), in_side.pop_back();
  std::vector<Diagonal> diagonals;
  for (const Place& matrix : places_of(of_axes(axes.batch, all), data))
    for (const Place& o : places_of(out_side, matrix.data))
      for (const Place& i : places_of(in_side, o.data))
        diagonals.push_back({i.data, output, input, outs / groups, o.number * output.size, i.number * input.size});
  const uint64_t one = pattern_of(part.dtype, gain);
  if (!call.gpu()) return cpu::fill_diagonals(diagonals, one, itemsize(part.dtype), interrupt);
  for (const Diagonal& diagonal : diagonals)
    cuda::backend().fill_diagonal(diagonal, one, part.dtype, *call.gpu());
}

void broadcast(const std::vector<double>& values, int64_t axis, const Part& part, const Output& out,
               const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  Region region;
  const bool some = call.make_region(region);
  const auto rank = int64_t(part.shape.size());
  if (axis < 0 || axis >= rank) refuse("axis must be one of the ", rank, " axes of shape, got ", axis);
  const int64_t size = part.shape[size_t(axis)];
  if (int64_t(values.size()) != size)
    refuse("values must have ", size, " elements, as axis ", axis, " of shape has, got ", values.size());
  std::vector<uint64_t> patterns;
  patterns.reserve(values.size());
  for (const double value : values) {
    require_value("values[" + std::to_string(patterns.size()) + "]", value, part.dtype);
    patterns.push_back(pattern_of(part.dtype, value));
  }
  if (!some) return;

  // The axes before that of the values are joined, and so are those after it.
  turn_forward(region);
  Region sides[3];
  int64_t axis_step = 1;
  for (int64_t i = 0; i < rank; ++i) {
    sides[i < axis ? 0 : i == axis ? 1 : 2].axes.push_back(region.axes[size_t(i)]);
    if (i > axis) axis_step *= part.shape[size_t(i)];
  }
  region.axes.clear();
  for (Region& side : sides) {
    simplify(side);
    if (side.axes[0].count > 1) region.axes.insert(region.axes.end(), side.axes.begin(), side.axes.end());
  }
  if (region.axes.empty()) region.axes.push_back({1, 0, 0});
  if (const Queue* queue = call.gpu())
    return cuda::backend().fill_broadcast(patterns, axis_step, part.dtype, region, *queue);
  const bool along = sides[1].axes[0].count > 1 && sides[2].axes[0].count == 1;
  cpu::fill_broadcast(patterns, axis_step, along, itemsize(part.dtype), region, interrupt);
}

void sinusoid(const std::vector<double>& turns_high, const std::vector<double>& turns_low, bool interleaved,
              const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  if (part.shape.size() != 2) refuse("shape must have 2 dimensions, positions and features, got ", part.shape.size());
  const bool some = call.has_elements();
  const int64_t length = part.shape[0], features = part.shape[1], half = features / 2 + features % 2;
  if (int64_t(turns_high.size()) != half || turns_low.size() != turns_high.size())
    refuse("turns_high and turns_low must have ", half, " elements each, half of the features of shape, got ",
           turns_high.size(), " and ", turns_low.size());
  if (length > kMostPositions) refuse("shape must have at most 2^53 positions, got ", length);
  for (size_t i = 0; i < turns_high.size(); ++i) {
    if (!(std::abs(turns_high[i]) * double(length) < 0x1p51))
      refuse("turns_high must be finite, and less than 2^51 turns over all positions, got ", turns_high[i]);
    if (!(std::abs(turns_low[i]) * double(length) <= 1))
      refuse("turns_low must be finite, and at most 1 turn over all positions, got ", turns_low[i]);
  }
  if (!some) return;

  const std::vector<Taken> axes = call.taken();
  const Taken rows = axes[0], columns = axes[1];
  const auto room = size_t(columns.count + kWholeRegisters);
  SinusoidTable table{{rows.count, rows.step, rows.stride},
                      {columns.count, 0, columns.stride},
                      rows.start,
                      std::vector<double>(room),
                      std::vector<double>(room),
                      std::vector<uint64_t>(room)};
  for (int64_t i = 0; i < columns.count; ++i) {
    const int64_t feature = columns.start + i * columns.step;
    const bool cosine = interleaved ? feature % 2 != 0 : feature >= half;
    const int64_t frequency = interleaved ? feature / 2 : feature - (cosine ? half : 0);
    table.high[size_t(i)] = turns_high[size_t(frequency)];
    table.low[size_t(i)] = turns_low[size_t(frequency)];
    table.quarter[size_t(i)] = cosine;
  }
  if (const Queue* queue = call.gpu()) return cuda::backend().fill_sinusoid(table, part.dtype, call.data(), *queue);
  cpu::fill_sinusoid(table, part.dtype, call.data(), interrupt);
}

void step_bias(double low, double high, double floor, const Part& part, const Output& out, const Interrupt& interrupt) {
  using host::Scalar;
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  const double most = std::min(kLargestStep, largest(part.dtype));
  if (!(low >= 1 / kLargestStep && low <= high && high <= most))
    refuse("low and high must satisfy ", 1 / kLargestStep, " <= low <= high <= ", most, ", got ", low, " and ", high);
  if (!(floor >= 0 && floor <= most)) refuse("floor must be between 0 and ", most, ", got ", floor);
  Region region;
  if (!call.make_region(region)) return;
  const auto log = [](double x) { return host::minus_two_log<Scalar>(x) * -0.5; };
  Draw uniform = call.draw(Distribution::uniform);
  uniform.dtype = compute_type(part.dtype);
  uniform.factor = 1;
  const StepBias bias{log(low), log(high) - log(low), floor};
  if (const Queue* queue = call.gpu()) return cuda::backend().fill_step_bias(uniform, bias, part.dtype, region, *queue);
  cpu::fill_step_bias(uniform, bias, part.dtype, std::move(region), interrupt);
}

}  // namespace fanin
