#include "api/fanin.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "api/blake2b.hpp"
#include "api/call.hpp"
#include "api/limits.hpp"
#include "api/refuse.hpp"
#include "core/gauss.hpp"
#include "core/rounding.hpp"

namespace fanin {
namespace {

// Bounds are rounded inward twice: to the compute type, which decides what is drawn, and to the dtype, which limits the
// values.
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
  // A finite bound that the dtype cannot hold becomes its largest value.
  static double reach(Dtype dtype, double low) { return std::isinf(low) ? low : std::max(low, -largest(dtype)); }
};

}  // namespace

void bits(const Part& part, const Output& out, const Interrupt& interrupt) {
  if (part.dtype != Dtype::uint32 && part.dtype != Dtype::uint64)
    refuse("dtype must be uint32 or uint64, got ", name(part.dtype));
  const Call call(part, out, interrupt);
  call.fill(call.draw(Distribution::bits));
}

void uniform(double low, double high, const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
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
  Draw draw = call.draw(Distribution::uniform);
  draw.offset = bounds.low, draw.factor = range, draw.least = bounds.least, draw.most = bounds.most;
  call.fill(draw);
}

void normal(double mean, double deviation, const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  call.fill(call.normal_draw(mean, deviation));
}

TruncatedDraw truncated_draw(const Call& call, double mean, double deviation, double low, double high, bool in_std) {
  const Dtype dtype = call.dtype();
  require_float(dtype);
  require_finite("mean", mean);
  require_deviation(deviation);
  if (std::isnan(low) || std::isnan(high) || low > high || (low == high && std::isinf(low)))
    refuse("low must not exceed high, got ", low, " and ", high);
  if (in_std && deviation == 0) {
    require_value("mean", mean, dtype);
    return {{}, mean};
  }
  if (in_std) {
    low = host::Scalar::fma(low, deviation, mean);
    high = host::Scalar::fma(high, deviation, mean);
  } else if (deviation == 0 && !(low <= mean && mean <= high)) {
    refuse("mean must lie between low and high where std is 0, got mean ", mean, ", low ", low, ", high ", high);
  }
  const Bounds bounds(dtype, low, high);
  if (std::isinf(bounds.least) && bounds.least > 0)
    refuse("low must be below the largest ", name(dtype), ", got ", low);
  if (std::isinf(bounds.most) && bounds.most < 0) refuse("high must be above the least ", name(dtype), ", got ", high);
  low = bounds.low, high = bounds.high;
  if (std::isinf(low) || std::isinf(high)) {
    // Tails fall ever faster: if no value lies farther beyond 0 than r, none lies farther out than √(α² + r²)
    // beyond a bound α > 0.
    const double nearest = std::max(0.0, (std::isinf(low) ? mean - high : low - mean) / deviation);
    const double beyond_mean = dtype == Dtype::float64 ? 8.58 : 6.77;
    const double reach = std::sqrt(nearest * nearest + beyond_mean * beyond_mean);
    if (!(std::abs(mean) + reach * deviation <= largest(dtype)))
      refuse("mean and std must satisfy |mean| + ", reach, "·std <= ", largest(dtype), ", the largest ", name(dtype),
             ", where a bound is infinite; got mean ", mean, " and std ", deviation);
  }
  if ((std::isinf(low - mean) && !std::isinf(low)) || (std::isinf(high - mean) && !std::isinf(high)))
    refuse("low and high must lie within ", largest(dtype), " of mean, got mean ", mean, ", low ", low, ", high ",
           high);
  if (low < high && high - low < 1e-12 * deviation)  // float64 cannot tell their probabilities apart
    refuse("low and high must be equal or 1e-12 std apart, which is as good as uniform, got low ", low, ", high ", high,
           ", std ", deviation);
  Draw draw = call.draw(Distribution::truncated_normal);
  draw.least = bounds.least, draw.most = bounds.most;
  draw.window = host::make_window(is_wide(dtype), mean, deviation, low, high);
  if (draw.window.shape == Window::kTail && !(draw.window.alpha <= 1e100))
    refuse("low and high must lie within 1e100 std of mean, got mean ", mean, ", std ", deviation, ", low ", low,
           ", high ", high);
  if (draw.window.shape == Window::kPoint) return {draw, bounds.limited(mean)};
  return {draw, {}};
}

void truncated_normal(double mean, double deviation, double low, double high, bool in_std, const Part& part,
                      const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  const TruncatedDraw drawn = truncated_draw(call, mean, deviation, low, high, in_std);
  if (drawn.constant) return call.fill(*drawn.constant);
  call.fill(drawn.draw);
}

void constant(double value, const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  require_value("value", value, part.dtype);
  call.fill(value);
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
  const FpEnvironment environment;  // it draws nothing, and so is no Call
  if (!(c >= 1e-100)) refuse("truncate must be positive, got ", c);
  return host::truncated_std(c);
}

}  // namespace fanin
