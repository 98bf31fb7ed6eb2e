#include "api/expression.hpp"

#include <algorithm>
#include <iterator>

#include "api/limits.hpp"
#include "api/place.hpp"
#include "api/refuse.hpp"
#include "core/fp_environment.hpp"
#include "cpu/expression.hpp"

namespace fanin {
namespace {

constexpr size_t kMostSteps = 4096;            // each has a block of memory in every thread
constexpr int64_t kMostIntegers = 1ll << 53;  // every one a float64

struct Kind {
  const char* name;
  size_t count;  // of operands, or of numbers
};
#define FANIN_ENTRY(name, count) {#name, count},
constexpr Kind kOperations[] = {FANIN_OPERATIONS(FANIN_ENTRY)};
constexpr Kind kSources[] = {FANIN_SOURCES(FANIN_ENTRY)};
#undef FANIN_ENTRY

// The place of a step's name in a list; the list's size where it is none of them.
template <size_t N>
size_t find(const Kind (&kinds)[N], const std::string& name) {
  return size_t(std::find_if(kinds, kinds + N, [&](const Kind& each) { return name == each.name; }) - kinds);
}

cpu::Instruction operation_of(const Step& step, size_t number, size_t before) {
  if (number == std::size(kOperations)) refuse("steps must be operations or sources, got '", step.name, "'");
  if (step.operands.size() != kOperations[number].count)
    refuse("steps: ", step.name, " must have ", kOperations[number].count, " operands, got ", step.operands.size());
  cpu::Instruction result{};
  result.operation = Operation(number);
  for (size_t i = 0; i < step.operands.size(); ++i) {
    if (step.operands[i] < 0 || step.operands[i] >= int64_t(before))
      refuse("steps: ", step.name, " must have operands before it, got ", step.operands[i], " at ", before);
    result.operands[i] = int(step.operands[i]);
  }
  return result;
}

// How a source's own index follows from an element's.
void number_along(cpu::Instruction& source, const Step& step, const std::vector<int64_t>& shape,
                  const std::vector<Taken>& axes) {
  std::vector<int64_t> along;
  for (size_t i = 0; i < shape.size(); ++i)
    along.push_back(int64_t(i));
  if (step.along) along = *step.along;
  source.steps.assign(axes.size(), 0);
  int64_t size = 1;
  for (size_t i = along.size(); i-- > 0;) {
    if (along[i] < 0 || along[i] >= int64_t(shape.size()) || std::count(along.begin(), along.end(), along[i]) > 1)
      refuse("steps: ", step.name, " must lie along axes of the shape, each once, got ", along[i]);
    const Taken& axis = axes[size_t(along[i])];
    source.first += uint64_t(axis.start * size);
    source.steps[size_t(along[i])] = axis.step * size;
    size *= axis.size;
  }
}

// A source of numbers: what it draws, in the compute type, where that depends on the dtype at all.
cpu::Instruction source_of(const Step& step, size_t number, const Part& whole) {
  if (step.numbers.size() != kSources[number].count)
    refuse("steps: ", step.name, " must have ", kSources[number].count, " numbers, got ", step.numbers.size());
  cpu::Instruction result{};
  result.is_source = true, result.source = Source(number);
  Part part{whole.seed, step.stream, compute_type(whole.dtype), {}};
  const bool wide = is_wide(part.dtype);
  const auto words = [&](Dtype dtype) {
    part.dtype = dtype;
    return make_draw(Distribution::bits, part);
  };
  switch (result.source) {
    case Source::constant:
      if (std::isnan(step.numbers[0])) refuse("steps: constant must be a number, got ", step.numbers[0]);
      result.number = step.numbers[0];
      break;
    case Source::position: break;
    case Source::fraction:
      if (!wide) {
        result.draw = words(Dtype::uint32);
        break;
      }
      [[fallthrough]];
    case Source::uniform:
      result.draw = make_draw(Distribution::uniform, part);
      result.draw.factor = 1;
      break;
    case Source::normal: result.draw = make_normal_draw(0, 1, part); break;
    case Source::truncated_normal: {
      const auto& numbers = step.numbers;
      const TruncatedDraw drawn =
          make_truncated_draw(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4] != 0, part);
      result.draw = drawn.draw;
      if (drawn.constant) result.source = Source::constant, result.number = round_to_compute(part.dtype, *drawn.constant);
      break;
    }
    case Source::word: result.draw = words(Dtype::uint32); break;
    case Source::below:
      if (!(step.numbers[0] >= 1 && step.numbers[0] <= double(kMostIntegers)))
        refuse("steps: below must have a number from 1 to 2^53, got ", step.numbers[0]);
      result.number = step.numbers[0];
      result.draw = words(Dtype::uint64);
  }
  return result;
}

}  // namespace

void expression(const std::vector<Step>& steps, const Part& part, const Output& out, const Interrupt& interrupt) {
  const FpEnvironment environment;
  require_float(part.dtype);
  if (steps.empty() || steps.size() > kMostSteps)
    refuse("steps must be from 1 to ", kMostSteps, ", got ", steps.size());
  const std::vector<int64_t> shape = result_shape(part);
  const std::vector<Taken> axes = taken(part, out);
  std::vector<cpu::Instruction> program;
  program.reserve(steps.size());
  for (const Step& step : steps) {
    const size_t source = find(kSources, step.name);
    if (source == std::size(kSources)) {
      program.push_back(operation_of(step, find(kOperations, step.name), program.size()));
      continue;
    }
    program.push_back(source_of(step, source, part));
    if (program.back().source != Source::constant) number_along(program.back(), step, part.shape, axes);
  }
  if (is_empty(shape)) return;
  check_output(part, out, shape);
  require_kernel(out, "expression");
  cpu::ExpressionPart target{static_cast<char*>(out.data), {}, part.dtype};
  for (const Taken& axis : axes)
    target.axes.push_back({axis.count, 0, axis.stride});
  cpu::fill_expression(std::move(program), std::move(target), interrupt);
}

}  // namespace fanin
