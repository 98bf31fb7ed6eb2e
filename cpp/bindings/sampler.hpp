// Makes a function of the API a Python function. It takes positional arguments: its own, then seed and name if it is
// random, then dtype, shape, box and out. A call through pybind11 would cost several times as much.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "bindings/convert.hpp"

namespace fanin::bindings {

enum class Random { no, yes };

using Sample = std::function<void(const Part&, const Output&, const Interrupt&)>;

// Calls `sample` without the GIL, for the arguments from seed or dtype on; returns the new array, or None where `out`
// is given.
py::object draw(PyObject* const* arguments, Random random, const Sample& sample);

// Adds a function to a module.
void add_function(py::module_& m, const char* name, PyMethodDef& definition, std::string& signature);

// Tells which arguments a function of the API takes before the part, the output and the interrupt.
template <class... All>
struct Own {
  static constexpr size_t kCount = sizeof...(All) - 3;
  template <size_t I>
  using Type = std::decay_t<std::tuple_element_t<I, std::tuple<All...>>>;
};
template <class... All>
Own<All...> own_of(void (*)(All...));

template <auto kFunction, Random kRandom>
class Sampler {
  using Arguments = decltype(own_of(kFunction));
  static constexpr size_t kOwn = Arguments::kCount, kAll = kOwn + (kRandom == Random::yes ? 6 : 4);

 public:
  using Names = std::array<const char*, kOwn>;

  static void add(py::module_& m, const char* name, const Names& names) {
    s_name = name, s_names = names;
    for (const char* own : names)
      s_signature += std::string(own) + ", ";
    s_signature += kRandom == Random::yes ? "seed, name, dtype, shape, box, out" : "dtype, shape, box, out";
    s_definition.ml_meth = reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&call));
    add_function(m, name, s_definition, s_signature);
  }

 private:
  static PyObject* call(PyObject*, PyObject* const* arguments, Py_ssize_t count) noexcept {
    try {
      if (count != Py_ssize_t(kAll))
        raise(PyExc_TypeError,
              std::string(s_name) + "() takes " + std::to_string(kAll) + " arguments, got " + std::to_string(count));
      return convert_and_draw(arguments, std::make_index_sequence<kOwn>()).release().ptr();
    } catch (...) {
      set_python_error();
      return nullptr;
    }
  }

  template <size_t... I>
  static py::object convert_and_draw(PyObject* const* arguments, std::index_sequence<I...>) {
    // Between braces the arguments are converted from left to right.
    const std::tuple<typename Arguments::template Type<I>...> own{
        as<typename Arguments::template Type<I>>(arguments[I], s_names[I])...};
    return draw(arguments + kOwn, kRandom, [&own](const Part& part, const Output& out, const Interrupt& interrupt) {
      kFunction(std::get<I>(own)..., part, out, interrupt);
    });
  }

  static inline const char* s_name;
  static inline Names s_names;
  static inline std::string s_signature;
  static inline PyMethodDef s_definition = {};
};

}  // namespace fanin::bindings
