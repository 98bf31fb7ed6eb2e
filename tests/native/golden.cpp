// Golden values: tests/golden/*.txt, written by tests/make_golden.py from the NumPy reference, one file a distribution.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "api/expression.hpp"
#include "api/fanin.hpp"
#include "check.hpp"

namespace check {
namespace {

using fanin::Dtype;

struct Line {
  std::string distribution, parameters, dtype_name, name;
  std::vector<std::string> parameter;  // the parameters, one by one
  uint64_t seed, first;
  std::vector<uint64_t> expected;
  Dtype dtype;
};

Dtype dtype_of(const std::string& text) {
  for (int i = 0; i < fanin::kDtypes; ++i)
    if (text == fanin::name(Dtype(i))) return Dtype(i);
  throw std::runtime_error("unknown dtype '" + text + "'");
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string one; std::getline(in, one, at);)
    parts.push_back(one);
  return parts;
}

// parameters dtype seed "name" first : pattern pattern …
Line parse(const std::string& distribution, const std::string& text) {
  Line line;
  line.distribution = distribution;
  std::istringstream in(text);
  std::string colon;
  in >> line.parameters >> line.dtype_name >> line.seed;
  const size_t open = text.find('"'), close = text.rfind('"');
  if (!in || open == close || text.find('\\') != std::string::npos)
    throw std::runtime_error("cannot read line: " + text);
  line.name = text.substr(open + 1, close - open - 1);
  in.seekg(std::streamoff(close) + 1);
  in >> line.first >> colon;
  for (std::string pattern; in >> pattern;)
    line.expected.push_back(std::strtoull(pattern.c_str(), nullptr, 16));
  if (colon != ":" || line.expected.empty()) throw std::runtime_error("cannot read line: " + text);
  line.dtype = dtype_of(line.dtype_name);
  line.parameter = split(line.parameters, ',');
  return line;
}

std::vector<double> numbers_of(const std::string& text) {
  std::vector<double> values;
  for (const auto& one : split(text, ';'))
    values.push_back(std::strtod(one.c_str(), nullptr));
  return values;
}

// Elements from the flat index `first` on, all in one stretch of the last axis, of a weight whose shape is parameter 1.
fanin::Part stretch(const Line& line, uint64_t first, size_t count) {
  fanin::Part part{line.seed, line.name, line.dtype, {}, {}};
  for (const auto& size : split(line.parameter.at(1), 'x'))
    part.shape.push_back(std::stoll(size));
  part.box.resize(part.shape.size());
  auto rest = int64_t(first);
  for (size_t i = part.shape.size(); i-- > 0; rest /= part.shape[i])
    part.box[i] = {rest % part.shape[i], 1, i + 1 == part.shape.size() ? int64_t(count) : 1};
  return part;
}

void draw_scheme(const Line& line, const fanin::Part& part, const fanin::Output& out) {
  const std::string& scheme = line.parameter.at(0);
  const auto numbers = [&](size_t i) { return numbers_of(line.parameter.at(i)); };
  const auto number = [&](size_t i) { return numbers(i).at(0); };
  const auto layout = [&](size_t i) { return number(i) != 0 ? "OI" : "IO"; };
  if (scheme == "sparse") {
    fanin::sparse(number(2), int64_t(number(3)), number(4) != 0, layout(5), part, out);
  } else if (scheme == "dirac") {
    fanin::dirac(number(2), int64_t(number(3)), layout(4), part, out);
  } else if (scheme == "broadcast") {
    fanin::broadcast(numbers(2), int64_t(number(3)), part, out);
  } else if (scheme == "sinusoid") {
    fanin::sinusoid(numbers(2), numbers(3), number(4) != 0, part, out);
  } else if (scheme == "step_bias") {
    fanin::step_bias(number(2), number(3), number(4), part, out);
  } else {
    throw std::runtime_error("unknown scheme '" + scheme + "'");
  }
}

// Weights with a letter for every axis, and matrices of determinant 1.
void draw_batched(const Line& line, const fanin::Part& part, const fanin::Output& out) {
  const std::string &scheme = line.parameter.at(0), &layout = line.parameter.at(2);
  const auto number = [&](size_t i) { return numbers_of(line.parameter.at(i)).at(0); };
  if (scheme == "orthogonal") {
    std::vector<int64_t> blocks;
    for (const double size : numbers_of(line.parameter.at(4)))
      blocks.push_back(int64_t(size));
    fanin::orthogonal(number(3), layout, blocks, part, out);
  } else if (scheme == "delta_orthogonal") {
    fanin::delta_orthogonal(number(3), layout, part, out);
  } else if (scheme == "sparse") {
    fanin::sparse(number(3), int64_t(number(4)), number(5) != 0, layout, part, out);
  } else if (scheme == "dirac") {
    fanin::dirac(number(3), int64_t(number(4)), layout, part, out);
  } else if (scheme == "haar") {
    fanin::haar(number(3), layout == "special", part, out);
  } else {
    throw std::runtime_error("unknown scheme '" + scheme + "'");
  }
}

// One step of an expression: its name, numbers behind ':', the number of its stream behind '#', axes behind '%'.
fanin::Step step_of(const std::string& text, const std::string& name) {
  const size_t axes = std::min(text.find('%'), text.size()), stream = std::min(text.find('#'), axes);
  const std::vector<std::string> fields = split(text.substr(0, stream), ':');
  fanin::Step step;
  step.name = fields.at(0);
  for (size_t i = 1; i < fields.size(); ++i)
    step.numbers.push_back(std::strtod(fields[i].c_str(), nullptr));
  step.stream = name + text.substr(stream, axes - stream);
  if (axes == text.size()) return step;
  step.along.emplace();
  for (const auto& axis : split(text.substr(axes + 1), '.'))
    step.along->push_back(std::stoll(axis));
  return step;
}

// Steps in reverse Polish notation, and permutations.
void draw_expression(const Line& line, const fanin::Part& part, const fanin::Output& out) {
  if (line.parameter.at(0) == "permutation") return fanin::permutation(part, out);
  if (line.parameter.at(0) != "expression") throw std::runtime_error("unknown line '" + line.parameters + "'");
  std::vector<fanin::Step> steps;
  std::vector<int64_t> stack;
  for (const auto& text : split(line.parameter.at(2), ';')) {
    fanin::Step step = step_of(text, line.name);
    const auto operands = std::min(fanin::operands_of(step.name), stack.size());
    step.operands.assign(stack.end() - std::ptrdiff_t(operands), stack.end());
    stack.resize(stack.size() - operands);
    stack.push_back(int64_t(steps.size()));
    steps.push_back(std::move(step));
  }
  fanin::expression(steps, part, out);
}

std::vector<uint64_t> patterns_of(const std::vector<char>& memory, size_t size) {
  std::vector<uint64_t> patterns(memory.size() / size);  // little-endian, as every target is
  for (size_t i = 0; i < patterns.size(); ++i)
    memcpy(&patterns[i], memory.data() + i * size, size);
  return patterns;
}

// Elements first … first + count - 1 of a tensor so large that nothing but the box can be computed.
std::vector<uint64_t> draw(const Line& line, uint64_t first, size_t count) {
  const size_t size = fanin::itemsize(line.dtype);
  std::vector<char> memory(count * size);
  const fanin::Part part{
      line.seed, line.name, line.dtype, {std::numeric_limits<int64_t>::max()}, {{int64_t(first), 1, int64_t(count)}}};
  const fanin::Output out{memory.data()};
  if (line.distribution == "orthogonal") {
    const int64_t outs = std::stoll(line.parameter.at(0)), ins = std::stoll(line.parameter.at(1));
    const auto row = int64_t(first) / ins, column = int64_t(first) % ins;
    const fanin::Part matrix{line.seed, line.name, line.dtype, {outs, ins}, {{row, 1, 1}, {column, 1, int64_t(count)}}};
    fanin::orthogonal(std::stod(line.parameter.at(2)), "OI", {}, matrix, out);
    return patterns_of(memory, size);
  }
  const auto number = [&](size_t i) { return std::strtod(line.parameter.at(i).c_str(), nullptr); };
  if (line.distribution == "schemes") {
    draw_scheme(line, stretch(line, first, count), out);
  } else if (line.distribution == "batched") {
    draw_batched(line, stretch(line, first, count), out);
  } else if (line.distribution == "expressions") {
    draw_expression(line, stretch(line, first, count), out);
  } else if (line.distribution == "bits") {
    fanin::bits(part, out);
  } else if (line.distribution == "uniform") {
    fanin::uniform(number(0), number(1), part, out);
  } else if (line.distribution == "normal") {
    fanin::normal(number(0), number(1), part, out);
  } else if (line.distribution == "truncated_normal") {
    fanin::truncated_normal(number(0), number(1), number(2), number(3), line.parameter.at(4) == "std", part, out);
  } else {
    throw std::runtime_error("unknown distribution '" + line.distribution + "'");
  }
  return patterns_of(memory, size);
}

// Draws the elements from the line's i-th on, so many together, and compares them.
void compare(Tally& tally, const Line& line, size_t i, size_t count, const char* how) {
  for (const uint64_t found : draw(line, line.first + i, count)) {
    tally.expect(found == line.expected[i], [&] {
      return line.distribution + " " + line.parameters + " " + line.dtype_name + ", seed " + std::to_string(line.seed) +
             ", name \"" + line.name + "\", index " + std::to_string(line.first + i) + " (" + how + "): expected " +
             hex(line.expected[i]) + ", found " + hex(found);
    });
    ++i;
  }
}

void check_line(Tally& tally, const Line& line) {
  const size_t count = line.expected.size();
  compare(tally, line, 0, count, "as one run");
  // Alone, an element of a matrix costs as much as its row: the first and the last of a line stand for the others.
  const size_t step = line.distribution == "orthogonal" ? std::max<size_t>(count - 1, 1) : 1;
  for (size_t i = 0; i < count; i += step)
    compare(tally, line, i, 1, "alone");
}

}  // namespace

void golden(Tally& tally, const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) throw std::runtime_error("no golden file in " + folder);
  for (const auto& file : files) {
    std::ifstream in(file);
    size_t lines = 0;
    for (std::string text; std::getline(in, text);) {
      if (text.empty() || text[0] == '#') continue;
      check_line(tally, parse(file.stem().string(), text));
      ++lines;
    }
    if (lines == 0) throw std::runtime_error("no line in " + file.string());
  }
}

}  // namespace check
