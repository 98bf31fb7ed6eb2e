#include "cpu/expression.hpp"

#include <memory>

#include "cpu/dispatch.hpp"
#include "cpu/store.hpp"

namespace fanin::cpu {
namespace {

// Joins neighbouring axes along which the output and every source go on where an inner one ends.
void join(std::vector<Instruction>& program, std::vector<Axis>& axes) {
  const auto remove = [&](size_t axis) {
    axes.erase(axes.begin() + long(axis));
    for (Instruction& each : program)
      if (!each.steps.empty()) each.steps.erase(each.steps.begin() + long(axis));
  };
  for (size_t i = axes.size(); i-- > 0;)
    if (axes[i].count == 1 && axes.size() > 1) remove(i);
  for (size_t i = axes.size(); i-- > 1;) {
    bool joined = is_product(axes[i].stride, axes[i].count, axes[i - 1].stride);
    for (const Instruction& each : program)
      joined = joined && (each.steps.empty() || is_product(each.steps[i], axes[i].count, each.steps[i - 1]));
    if (!joined) continue;
    axes[i].count *= axes[i - 1].count;
    remove(i - 1);
  }
}

// Computes blocks of one part, in memory of its own.
class Evaluator {
 public:
  Evaluator(const std::vector<Instruction>& program, const ExpressionPart& part)
      : program_(program), part_(part), kernels_(active_kernels()), values_(new double[program.size() * kBlock]()) {
    for (size_t i = 0; i < program.size(); ++i)
      if (program[i].source == Source::constant) std::fill_n(block(int(i)), kBlock, program[i].number);
  }

  // Computes elements begin … end - 1 of the part, in C order.
  void operator()(int64_t begin, int64_t end) {
    const size_t inner = part_.axes.size() - 1;
    std::vector<int64_t> at(part_.axes.size());
    while (begin < end) {
      char* data = part_.data;
      int64_t rest = begin;
      for (size_t i = at.size(); i-- > 0; rest /= part_.axes[i].count) {
        at[i] = rest % part_.axes[i].count;
        data += at[i] * part_.axes[i].stride;
      }
      const int64_t count = std::min({end - begin, part_.axes[inner].count - at[inner], kBlock});
      for (size_t i = 0; i < program_.size(); ++i)
        compute(int(i), at, count);
      double* const result = block(int(program_.size()) - 1);
      kernels_.schemes->settle(count, result);
      store(*kernels_.schemes, part_.dtype, result, count, data, part_.axes[inner].stride);
      begin += count;
    }
  }

 private:
  double* block(int i) { return values_.get() + size_t(i) * kBlock; }

  void compute(int i, const std::vector<int64_t>& at, int64_t count) {
    const Instruction& each = program_[size_t(i)];
    if (each.source == Source::none) {
      const double* operands[3];
      for (int k = 0; k < 3; ++k)
        operands[k] = block(each.operands[k]);
      return kernels_.schemes->operate(each.operation, operands, count, block(i));
    }
    if (each.source == Source::constant) return;
    uint64_t first = each.first;
    for (size_t k = 0; k < at.size(); ++k)
      first += uint64_t(at[k] * each.steps[k]);
    const int64_t step = each.steps.back();
    if (step != 0) return take(each, first, step, count, block(i));
    take(each, first, 1, 1, block(i));
    std::fill_n(block(i) + 1, count - 1, *block(i));
  }

  // Computes the numbers of a source from one of its own indices on.
  void take(const Instruction& each, uint64_t first, int64_t step, int64_t count, double* values) {
    if (each.source == Source::position) {
      for (int64_t i = 0; i < count; ++i)
        values[i] = double(first + uint64_t(i * step));
      return;
    }
    alignas(64) uint64_t drawn[kBlock];
    if (step == 1) {
      kernels_.run(each.draw, first, uint64_t(count), drawn);
    } else {
      uint64_t index[kBlock];
      for (int64_t i = 0; i < count; ++i)
        index[i] = first + uint64_t(i * step);
      kernels_.gather(each.draw, index, uint64_t(count), drawn);
    }
    widen(each, drawn, count, values);
  }

  static void widen(const Instruction& each, const uint64_t* drawn, int64_t count, double* values) {
    const auto as = [&](auto kind, const auto& number) {
      decltype(kind) value;
      for (int64_t i = 0; i < count; ++i) {
        memcpy(&value, reinterpret_cast<const char*>(drawn) + size_t(i) * sizeof value, sizeof value);
        values[i] = number(value);
      }
    };
    switch (each.source) {
      case Source::none:
      case Source::constant:
      case Source::position: return;  // nothing is drawn
      case Source::value:
        if (is_wide(each.draw.dtype)) return as(double(), [](double x) { return x; });
        return as(float(), [](float x) { return double(x); });
      case Source::word: return as(uint32_t(), [](uint32_t w) { return double(w); });
      case Source::fraction: return as(uint32_t(), [](uint32_t w) { return (double(w) + 0.5) * 0x1p-32; });
      case Source::below:
        return as(uint64_t(), [n = uint64_t(each.number)](uint64_t w) { return double(high_product(w, n)); });
    }
  }

  // Returns ⌊a·b/2⁶⁴⌋ for b < 2⁶³.
  static uint64_t high_product(uint64_t a, uint64_t b) {
    const uint64_t a_low = uint32_t(a), a_high = a >> 32, b_low = uint32_t(b), b_high = b >> 32;
    const uint64_t middle = a_high * b_low + (a_low * b_low >> 32);
    const uint64_t other = a_low * b_high + uint32_t(middle);
    return a_high * b_high + (middle >> 32) + (other >> 32);
  }

  const std::vector<Instruction>& program_;
  const ExpressionPart& part_;
  const Kernels& kernels_;
  const std::unique_ptr<double[]> values_;  // has a block for every instruction
};

}  // namespace

void fill_expression(std::vector<Instruction> program, ExpressionPart part, const Interrupt& interrupt) {
  if (part.axes.empty()) part.axes.push_back({1, 0, 0});
  for (Instruction& each : program)
    if (each.source > Source::constant && each.steps.empty()) each.steps.push_back(0);
  join(program, part.axes);
  in_chunks({0, part.data, part.axes}, interrupt, 1,
            [&](int64_t begin, int64_t end) { Evaluator(program, part)(begin, end); });
}

}  // namespace fanin::cpu
