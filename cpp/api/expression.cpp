#include "api/expression.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "api/call.hpp"
#include "api/limits.hpp"
#include "api/refuse.hpp"
#include "cpu/expression.hpp"

namespace fanin {
namespace {

constexpr size_t kMostSteps = 4096;      // each of them has a block of memory in every thread
constexpr double kMostInteger = 0x1p53;  // float64 holds every integer up to it

#define FANIN_LAWS(X) \
  X(constant, 1)      \
  X(position, 0)      \
  X(uniform, 2) X(normal, 2) X(truncated_normal, 5) X(bernoulli, 1) X(exponential, 1) X(log_normal, 2) X(integers, 2)

#define FANIN_ENTRY(name, count) name,
enum class Law : uint8_t { FANIN_LAWS(FANIN_ENTRY) };
#undef FANIN_ENTRY

struct Kind {
  const char* name;
  size_t count;  // of operands, or of numbers
};
#define FANIN_ENTRY(name, count) {#name, count},
constexpr Kind kOperations[] = {FANIN_OPERATIONS(FANIN_ENTRY)};
constexpr Kind kLaws[] = {FANIN_LAWS(FANIN_ENTRY)};
#undef FANIN_ENTRY

// Returns the place of a name in a list, or the list's size if the name is not there.
template <size_t N>
size_t find(const Kind (&kinds)[N], const std::string& name) {
  return size_t(std::find_if(kinds, kinds + N, [&](const Kind& each) { return name == each.name; }) - kinds);
}

template <class List>
void require_count(const Step& step, const char* what, const List& given, size_t wanted) {
  if (given.size() != wanted) refuse("steps: ", step.name, " must have ", wanted, " ", what, ", got ", given.size());
}

// Writes the instructions of steps: one for an operation, and a few for a law.
class Compiler {
 public:
  Compiler(const Part& part, const Output& out, const Interrupt& interrupt)
      : part_(part), out_(out), interrupt_(interrupt), axes_(Call(part, out, interrupt).taken()) {}

  void add(const Step& step) {
    if (const size_t law = find(kLaws, step.name); law != std::size(kLaws)) {
      require_count(step, "numbers", step.numbers, kLaws[law].count);
      results_.push_back(draw(Law(law), step));
      return;
    }
    const size_t operation = find(kOperations, step.name);
    if (operation == std::size(kOperations))
      refuse("steps must be operations, draws or numbers, got '", step.name, "'");
    require_count(step, "operands", step.operands, kOperations[operation].count);
    std::array<int, 3> operands{};
    for (size_t i = 0; i < step.operands.size(); ++i) {
      const int64_t operand = step.operands[i];
      if (operand < 0 || operand >= int64_t(results_.size()))
        refuse("steps: ", step.name, " must have operands that precede it, got ", operand, " at ", results_.size());
      operands[i] = results_[size_t(operand)];
    }
    results_.push_back(apply(Operation(operation), operands[0], operands[1], operands[2]));
  }

  std::vector<cpu::Instruction> take() { return std::move(program_); }

 private:
  int push(const cpu::Instruction& instruction) {
    program_.push_back(instruction);
    return int(program_.size()) - 1;
  }
  int apply(Operation operation, int a, int b = 0, int c = 0) {
    cpu::Instruction result{};
    result.operation = operation, result.operands[0] = a, result.operands[1] = b, result.operands[2] = c;
    return push(result);
  }
  int constant(double value) {
    cpu::Instruction result{};
    result.source = cpu::Source::constant, result.number = value;
    return push(result);
  }
  int affine(int x, double factor, double offset) {
    const int f = constant(factor), o = constant(offset);
    return apply(Operation::fma, x, f, o);
  }

  // Adds a source that numbers its elements along some of the axes alone.
  int numbered(cpu::Source source, const Step& step, const Draw& draw = {}, double number = 0) {
    cpu::Instruction result{};
    result.source = source, result.draw = draw, result.number = number;
    result.steps.assign(axes_.size(), 0);
    std::vector<int64_t> along;
    for (size_t i = 0; i < axes_.size(); ++i)
      along.push_back(int64_t(i));
    if (step.along) along = *step.along;
    int64_t size = 1;
    for (size_t i = along.size(); i-- > 0;) {
      const int64_t axis = along[i];
      if (axis < 0 || axis >= int64_t(axes_.size()) || std::count(along.begin(), along.end(), axis) > 1)
        refuse("steps: ", step.name, " must lie along axes of shape, each once, got ", axis);
      const Taken& taken = axes_[size_t(axis)];
      result.first += uint64_t(taken.start * size);
      result.steps[size_t(axis)] = taken.step * size;
      size *= taken.size;
    }
    return push(result);
  }

  int draw(Law law, const Step& step) {
    const auto& n = step.numbers;
    for (const double number : n)
      if (std::isnan(number)) refuse("steps: ", step.name, " must have numbers, got nan");
    // Every draw has the compute type, except that of words.
    const Part part{part_.seed, step.stream, compute_type(part_.dtype), {}};
    const Call call(part, out_, interrupt_);
    const auto words = [&](cpu::Source source, Dtype dtype, double number = 0) {
      const Part of_words{part.seed, part.name, dtype, {}};
      return numbered(source, step, Call(of_words, out_, interrupt_).draw(Distribution::bits), number);
    };
    const auto unit = [&] {
      Draw draw = call.draw(Distribution::uniform);
      draw.factor = 1;
      return numbered(cpu::Source::value, step, draw);
    };
    const auto standard_normal = [&] {
      require_finite("mean", n[0]);
      if (!(n[1] >= 0) || std::isinf(n[1])) refuse("std must be finite and not negative, got ", n[1]);
      return affine(numbered(cpu::Source::value, step, call.normal_draw(0, 1)), n[1], n[0]);
    };
    switch (law) {
      case Law::constant: return constant(n[0]);
      case Law::position: return numbered(cpu::Source::position, step);
      case Law::uniform: {
        require_finite("low", n[0]);
        require_finite("high", n[1]);
        if (n[0] > n[1]) refuse("low must not exceed high, got ", n[0], " and ", n[1]);
        require_finite("high - low", n[1] - n[0]);
        return affine(unit(), n[1] - n[0], n[0]);
      }
      case Law::normal: return standard_normal();
      case Law::truncated_normal: {
        const TruncatedDraw drawn = truncated_draw(call, n[0], n[1], n[2], n[3], n[4] != 0);
        if (drawn.constant) return constant(round_to_compute(part.dtype, *drawn.constant));
        return numbered(cpu::Source::value, step, drawn.draw);
      }
      case Law::bernoulli: {
        if (!(n[0] >= 0 && n[0] <= 1)) refuse("p must be between 0 and 1, got ", n[0]);
        const int word = words(cpu::Source::word, Dtype::uint32);
        return apply(Operation::less, word, constant((n[0] * 0x1p32 + 0x1p52) - 0x1p52));  // the nearest integer
      }
      case Law::exponential: {
        if (!(n[0] > 0) || std::isinf(n[0])) refuse("rate must be positive and finite, got ", n[0]);
        const int u = is_wide(part.dtype) ? unit() : words(cpu::Source::fraction, Dtype::uint32);
        return apply(Operation::divide, apply(Operation::log, u), constant(-n[0]));
      }
      case Law::log_normal: return apply(Operation::exp, standard_normal());
      case Law::integers: {
        for (const double bound : n)
          if (bound != std::trunc(bound) || !(std::abs(bound) <= kMostInteger))
            refuse("low and high must be integers within 2^53, got ", bound);
        if (!(n[0] < n[1]) || n[1] - n[0] > kMostInteger)
          refuse("low must be below high, by at most 2^53, got ", n[0], " and ", n[1]);
        return apply(Operation::add, words(cpu::Source::below, Dtype::uint64, n[1] - n[0]), constant(n[0]));
      }
    }
    __builtin_trap();
  }

  const Part& part_;
  const Output& out_;
  const Interrupt& interrupt_;
  const std::vector<Taken> axes_;
  std::vector<cpu::Instruction> program_;
  std::vector<int> results_;  // the number of the instruction of every step
};

}  // namespace

size_t operands_of(const std::string& name) {
  const size_t operation = find(kOperations, name);
  return operation == std::size(kOperations) ? 0 : kOperations[operation].count;
}

void expression(const std::vector<Step>& steps, const Part& part, const Output& out, const Interrupt& interrupt) {
  const Call call(part, out, interrupt);
  require_float(part.dtype);
  if (steps.empty() || steps.size() > kMostSteps)
    refuse("steps must be from 1 to ", kMostSteps, ", got ", steps.size());
  const bool has_elements = call.has_elements();
  Compiler compiler(part, out, interrupt);
  for (const Step& step : steps)
    compiler.add(step);
  if (!has_elements) return;
  call.require_gpu_kernel("expression");
  cpu::ExpressionPart target{call.data(), {}, part.dtype};
  for (const Taken& axis : call.taken())
    target.axes.push_back({axis.count, 0, axis.stride});
  cpu::fill_expression(compiler.take(), std::move(target), interrupt);
}

}  // namespace fanin
