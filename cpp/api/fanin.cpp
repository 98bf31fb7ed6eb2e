#include "api/fanin.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "api/blake2b.hpp"
#include "api/limits.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "core/fp_environment.hpp"
#include "core/gauss.hpp"
#include "core/rounding.hpp"
#include "cpu/fill.hpp"

namespace fanin {
namespace {

void require_deviation(double std) {
  if (!(std >= 0) || std::isinf(std)) refuse("std must be finite and not negative, got ", std);
}

void run(const Draw& draw, const Part& part, const Output& out, const Interrupt& interrupt) {
  Region region;
  if (!make_region(part, out, region)) return;
  if (!out.queue) return cpu::fill(draw, std::move(region), interrupt);
  if (!out.queue->to_host) return cuda::backend().fill(draw, region, *out.queue);
  if (!cuda::backend().draw_to_host(draw, region, *out.queue, interrupt)) throw Interrupted();
}

// Bounds rounded inward: to the compute type, which decides what is drawn, and to the dtype, which limits the values.
struct Bounds {
  double low, high, least, most;

  Bounds(Dtype dtype, double given_low, double given_high)
      : low(round_up(compute_type(dtype), reach(dtype, given_low))),
        high(-round_up(compute_type(dtype), reach(dtype, -given_high))),
        least(round_up(dtype, given_low)),
        most(-round_up(dtype, -given_high)) {
    if (least > most)
      refuse("low and high must have a value of ", name(dtype), " between them, got ", given_low, " and ", given_high);
  }
  double limited(double value) const { return value < least ? least : value > most ? most : value; }

 private:
  // A finite bound beyond what the dtype can hold is its largest value.
  static double reach(Dtype dtype, double low) { return std::isinf(low) ? low : std::max(low, -largest(dtype)); }
};

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

void bits(const Part& part, const Output& out, const Interrupt& interrupt) {
  if (part.dtype != Dtype::uint32 && part.dtype != Dtype::uint64)
    refuse("dtype must be uint32 or uint64, got ", name(part.dtype));
  run(make_draw(Distribution::bits, part), part, out, interrupt);
}

void uniform(double low, double high, const Part& part, const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  require_float(part.dtype);
  require_finite("low", low);
  require_finite("high", high);
  if (low > high) refuse("low must not exceed high, got ", low, " and ", high);
  const Bounds bounds(part.dtype, low, high);
  const double range = bounds.high - bounds.low;
  if (!(round_to_compute(part.dtype, range) <= largest(part.dtype)) || std::isinf(bounds.least) ||
      std::isinf(bounds.most))
    refuse("high - low must not exceed the largest ", name(part.dtype), ", ", largest(part.dtype), ", got low ", low,
           " and high ", high);
  Draw draw = make_draw(Distribution::uniform, part);
  draw.offset = bounds.low, draw.factor = range, draw.least = bounds.least, draw.most = bounds.most;
  run(draw, part, out, interrupt);
}

Draw make_draw(Distribution distribution, const Part& part) {
  Draw draw{};
  draw.distribution = distribution;
  draw.dtype = part.dtype;
  draw.seed = part.seed;
  draw.id = stream_id(part.name, is_wide(part.dtype) ? 1 : 0);
  return draw;
}

Draw make_normal_draw(double mean, double deviation, const Part& part) {
  require_float(part.dtype);
  require_finite("mean", mean);
  require_deviation(deviation);
  const double reach = part.dtype == Dtype::float64 ? 8.58 : 6.77;  // no normal is farther out
  if (!(std::abs(mean) + reach * deviation <= largest(part.dtype)))
    refuse("mean and std must satisfy |mean| + ", reach, "·std <= ", largest(part.dtype), ", the largest ",
           name(part.dtype), "; got mean ", mean, " and std ", deviation);
  Draw draw = make_draw(Distribution::normal, part);
  draw.offset = mean, draw.factor = deviation;
  return draw;
}

void normal(double mean, double deviation, const Part& part, const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  run(make_normal_draw(mean, deviation, part), part, out, interrupt);
}

TruncatedDraw make_truncated_draw(double mean, double deviation, double low, double high, bool in_std,
                                  const Part& part) {
  require_float(part.dtype);
  require_finite("mean", mean);
  require_deviation(deviation);
  if (std::isnan(low) || std::isnan(high) || low > high || (low == high && std::isinf(low)))
    refuse("low must not exceed high, got ", low, " and ", high);
  if (in_std && deviation == 0) return {{}, mean};
  if (in_std) {
    low = host::Scalar::fma(low, deviation, mean);
    high = host::Scalar::fma(high, deviation, mean);
  } else if (deviation == 0 && !(low <= mean && mean <= high)) {
    refuse("mean must lie between low and high where std is 0, got mean ", mean, ", low ", low, ", high ", high);
  }
  const Bounds bounds(part.dtype, low, high);
  if (std::isinf(bounds.least) && bounds.least > 0)
    refuse("low must be below the largest ", name(part.dtype), ", got ", low);
  if (std::isinf(bounds.most) && bounds.most < 0)
    refuse("high must be above the least ", name(part.dtype), ", got ", high);
  low = bounds.low, high = bounds.high;
  if (std::isinf(low) || std::isinf(high)) {
    // Beyond a bound α > 0 no value is farther out than √(α² + r²), if r is the farthest beyond 0: tails fall ever faster.
    const double nearest = std::max(0.0, (std::isinf(low) ? mean - high : low - mean) / deviation);
    const double beyond_mean = part.dtype == Dtype::float64 ? 8.58 : 6.77;
    const double reach = std::sqrt(nearest * nearest + beyond_mean * beyond_mean);
    if (!(std::abs(mean) + reach * deviation <= largest(part.dtype)))
      refuse("mean and std must satisfy |mean| + ", reach, "·std <= ", largest(part.dtype), ", the largest ",
             name(part.dtype), ", where a bound is infinite; got mean ", mean, " and std ", deviation);
  }
  if ((std::isinf(low - mean) && !std::isinf(low)) || (std::isinf(high - mean) && !std::isinf(high)))
    refuse("low and high must lie within ", largest(part.dtype), " of mean, got mean ", mean, ", low ", low, ", high ",
           high);
  if (low < high && high - low < 1e-12 * deviation)  // too narrow for the probabilities' float64
    refuse("low and high must be equal or 1e-12 std apart, which is as good as uniform, got low ", low, ", high ", high,
           ", std ", deviation);
  Draw draw = make_draw(Distribution::truncated_normal, part);
  draw.least = bounds.least, draw.most = bounds.most;
  draw.window = host::make_window(is_wide(part.dtype), mean, deviation, low, high);
  if (draw.window.shape == Window::kTail && !(draw.window.alpha <= 1e100))
    refuse("low and high must lie within 1e100 std of mean, got mean ", mean, ", std ", deviation, ", low ", low,
           ", high ", high);
  if (draw.window.shape == Window::kPoint) return {draw, bounds.limited(mean)};
  return {draw, {}};
}

void truncated_normal(double mean, double deviation, double low, double high, bool in_std, const Part& part,
                      const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  const TruncatedDraw drawn = make_truncated_draw(mean, deviation, low, high, in_std, part);
  if (drawn.constant) return constant(*drawn.constant, part, out, interrupt);
  run(drawn.draw, part, out, interrupt);
}

void constant(double value, const Part& part, const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  require_float(part.dtype);
  require_value("value", value, part.dtype);
  Region region;
  if (!make_region(part, out, region)) return;
  if (on_gpu(out)) return cuda::backend().fill_constant(value, part.dtype, region, *out.queue);
  cpu::fill_constant(pattern_of(part.dtype, value), itemsize(part.dtype), region, interrupt);
}

uint64_t stream_id(std::string_view name, uint8_t tag) {
  constexpr char person[16] = "fanin-v1";
  std::vector<uint8_t> message;
  message.reserve(name.size() + 1);
  message.push_back(tag);
  message.insert(message.end(), name.begin(), name.end());
  return blake2b_64(message.data(), message.size(), person);
}

double truncated_std(double c) {
  const FpEnvironment environment;
  if (!(c >= 1e-100)) refuse("truncate must be positive, got ", c);
  return host::truncated_std(c);
}

}  // namespace fanin
